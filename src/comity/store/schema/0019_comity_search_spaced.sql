-- Words of scripts without spaces between them are in the index as pairs of letters. 0: rows with such are to be filled in
-- anew, which the next search does, in short transactions. A first filling that is under way begins again.
ALTER TABLE comity_search_state ADD COLUMN spaced INTEGER NOT NULL DEFAULT 0;
UPDATE comity_search_state SET
  spaced = (kind IS NOT NULL OR NOT EXISTS (SELECT 1 FROM comity_search_docs)),
  after = '';
