"""Words of Chinese, Japanese and Korean are found, ranked and with snippets, however they are written."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.testing import World
from tests.original_knowledge import Knower

MEMORIES = {
    "ja": "認証モジュールはトークンを夜間に更新する",
    "ja other": "監視モジュールはログを圧縮する",
    "zh": "认证模块每晚刷新访问令牌",
    "zh other": "监控模块压缩日志",
    "ko": "인증 모듈은 매일 밤 토큰을 갱신한다",
    "ko other": "감시 모듈은 로그를 압축한다",
    "en": "The authentication module refreshes tokens at night",
    "en other": "The monitor compresses logs",
    "mixed": "GPT4のAPI認証はOAuthトークンで行う",
}


@pytest.fixture
def ann(world: World) -> Workspace:
    made = world.agent("ann")
    for key, value in MEMORIES.items():
        made.memory.set(key=key, value=value, scope="workspace")
    return made


def found(ann: Workspace, query: str) -> list[str]:
    return [entry.key for entry in ann.memory.search(query=query, rank=True).entries]


def told(ann: Workspace, query: str) -> list[str]:
    return [hit.title for hit in ann.search.find(query=query).results]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("認証", {"ja", "mixed"}),
        ("トークン", {"ja", "mixed"}),
        ("ﾄｰｸﾝ", {"ja", "mixed"}),
        ("圧縮", {"ja other"}),
        ("認", {"ja", "mixed"}),
        ("縮", {"ja other"}),
        ("令牌", {"zh"}),
        ("日志", {"zh other"}),
        ("토큰", {"ko"}),
        ("토큰이", {"ko"}),
        ("갱신", {"ko"}),
        ("モジュール", {"ja", "ja other"}),
        ("api", {"mixed"}),
        ("\uff21\uff30\uff29", {"mixed"}),
        ("gpt4", {"mixed"}),
        ("oauth トークン", {"ja", "mixed"}),
        ("tokens", {"en"}),
        ("認証 監視 ログ 圧縮 無", {"ja", "ja other", "mixed"}),
        ("天気", set()),
    ],
)
def test_a_word_is_found_wherever_it_stands(ann: Workspace, query: str, keys: set[str]) -> None:
    assert set(found(ann, query)) == set(told(ann, query)) == keys


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("認証モジュールはトークンを夜間に更新する", "ja"),
        ("トークンはいつ更新されますか", "ja"),
        ("夜間にトークンを更新する認証モジュール", "ja"),
        ("ログを圧縮しているモジュールは?", "ja other"),
        ("访问令牌什么时候刷新", "zh"),
        ("哪个模块负责压缩日志?", "zh other"),
        ("밤에 토큰을 갱신하는 모듈은 무엇인가요?", "ko"),
        ("로그가 압축되는 모듈", "ko other"),
        ("which module refreshes tokens", "en"),
        ("OAuthで認証するAPI", "mixed"),
    ],
)
def test_a_question_finds_its_answer_first(ann: Workspace, query: str, key: str) -> None:
    assert found(ann, query)[0] == key
    assert told(ann, query)[0] == key


def test_what_has_all_words_comes_before_what_has_one_often(world: World) -> None:
    ann = world.agent("ann")
    ann.memory.set(key="a", value="トークン トークン トークン トークン", scope="workspace")
    ann.memory.set(
        key="b", value="認証ではトークンを使う。" + "ほかにも多くのことが書いてある。" * 20, scope="workspace"
    )
    assert found(ann, "トークン 認証") == ["b", "a"]
    assert told(ann, "トークン 認証") == ["b", "a"]


def test_a_snippet_shows_where_it_stands(world: World) -> None:
    ann = world.agent("ann")
    ann.memory.set(
        key="long", value="前書き。" * 100 + "認証トークンを更新する。" + "後書き。" * 100, scope="workspace"
    )
    (entry,) = ann.memory.search(query="トークン", rank=True).entries
    assert "認証トークンを更新する" in entry.snippet
    assert len(entry.snippet) < 250


@pytest.mark.parametrize("query", ["認証", "토큰", "令牌", "認"])
def test_pieces_of_one_or_two_letters_are_found_among_many(world: World, query: str) -> None:
    """Without ranking: what other implementations answer, and not only among the newest."""
    ann = world.agent("ann")
    peer = Knower(world.path, "peer", "peer-session", world.clock)
    peer.register()
    peer.remember("old", f"x{query}x")
    for number in range(2300):
        peer.remember(f"new {number}", "何もない 없음 没有")
    assert [entry.key for entry in ann.memory.search(query=query).entries] == ["old"]
    assert [hit.title for hit in ann.context.query(query=query).results] == ["old"]


def test_documents_tasks_and_goals_are_found_by_it_too(world: World, tmp_path: Any) -> None:
    ann = world.agent("ann", root=str(tmp_path))
    (tmp_path / "readme.md").write_text("# 概要\n認証の手順を説明する。\n", encoding="utf-8")
    ann.vault.register(path=str(tmp_path))
    ann.goal.create(title="認証を直す", type="mission")
    task = ann.task.dispatch(title="認証の試験").task
    ann.task.start(task_id=task.task_id)
    ann.task.complete(task_id=task.task_id, result="完了")
    assert {hit.kind for hit in ann.search.find(query="認証").results} == {"vault_doc", "goal", "task"}
    assert [doc.path for doc in ann.vault.search(query="手順", rank=True).docs] == ["readme.md"]
