-- name: second_of
SELECT CAST(strftime('%s', :timestamp) AS INTEGER)
