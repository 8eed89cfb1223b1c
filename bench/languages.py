"""Ranked search over 10,000 memories in Chinese, Japanese, Korean and English, against as many in English alone.

Memories are short notes of a project, made of words that programmers use; a question names what one of them is about,
with other endings and particles around it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import comity
from bench.figures import Figure, Options, median, percentile, short
from bench.ground import Ground
from bench.search import MEMORY, Ask, Row, Times, write
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds

MEMORIES, QUESTIONS = 10_000, 200
FIRST = 3
AGENT = "reader"
BAR = 2.0  # of the median over English alone

# By language: what there is, a blank line, and what it does.
_ZH = """
认证 令牌 缓存 数据库 索引 队列 消息 接口 网关 日志 监控 部署 容器 证书 密钥 会话 权限 用户 订单
支付 库存 报表 模板 插件 编译器 解析器 调度器 线程 进程 内存 磁盘 网络 端口 代理 配置 环境变量 测试
覆盖率 分支 合并 提交 版本 迁移 备份 快照 副本 集群 节点

刷新 校验 清理 加载 压缩 加密 转发 重试 回滚 同步 拆分 合成 限制 记录 跳过 锁定
"""
_JA = """
認証 トークン キャッシュ データベース 索引 キュー メッセージ 画面 ゲートウェイ ログ 監視 配備
コンテナ 証明書 秘密鍵 セッション 権限 利用者 注文 決済 在庫 帳票 テンプレート プラグイン コンパイラ
構文解析器 スケジューラ スレッド プロセス メモリ ディスク 通信 ポート プロキシ 設定 環境変数 テスト
網羅率 ブランチ 結合 コミット 版 移行 バックアップ 断面 複製 クラスタ ノード

更新 検証 削除 読込 圧縮 暗号化 転送 再試行 巻戻 同期 分割 合成 制限 記録 省略 固定
"""
_KO = """
인증 토큰 캐시 데이터베이스 색인 대기열 메시지 화면 게이트웨이 로그 감시 배포 컨테이너 인증서 비밀키
세션 권한 사용자 주문 결제 재고 보고서 템플릿 플러그인 컴파일러 구문분석기 스케줄러 스레드 프로세스
메모리 디스크 통신 포트 프록시 설정 환경변수 테스트 적용범위 브랜치 병합 커밋 버전 이전 백업 스냅샷
복제본 클러스터 노드

갱신 검증 삭제 적재 압축 암호화 전달 재시도 복구 동기화 분할 합성 제한 기록 생략 고정
"""
_EN = """
authentication token cache database index queue message screen gateway log monitor deployment
container certificate key session permission user order payment stock report template plugin
compiler parser scheduler thread process memory disk network port proxy setting environment test
coverage branch merge commit version migration backup snapshot replica cluster node

refresh check remove load compress encrypt forward retry restore sync split compose limit record
skip lock
"""


class Note(NamedTuple):
    """What a memory says: ``of`` and ``what`` do something (``does``) to ``whom``."""

    of: str
    what: str
    does: str
    whom: str


class Tongue(NamedTuple):
    """A language: its words, how a note is written down in it, and how somebody asks for it."""

    words: str
    say: Callable[[Note], str]
    ask: Callable[[Note], str]

    def note(self, chance: random.Random) -> Note:
        """Any note."""
        nouns, verbs = (part.split() for part in self.words.split("\n\n"))
        of, what, whom = chance.sample(nouns, 3)
        return Note(of, what, chance.choice(verbs), whom)


def _after(noun: str, closed: str, open_: str) -> str:
    """A Korean noun with the particle that its last letter wants: whether that ends in a consonant."""
    return noun + (closed if (ord(noun[-1]) - 0xAC00) % 28 else open_)


TONGUES = (
    Tongue(
        _ZH,
        lambda it: f"{it.of}的{it.what}在夜间任务里{it.does}{it.whom}。失败后通知值班人员。",
        lambda it: f"请问哪个{it.of}的{it.what}会{it.does}{it.whom}?",
    ),
    Tongue(
        _JA,
        lambda it: f"{it.of}の{it.what}は夜間処理で{it.whom}を{it.does}する。失敗したら当番に知らせる。",
        lambda it: f"{it.whom}が{it.does}されるのはどの{it.of}の{it.what}ですか?",
    ),
    Tongue(
        _KO,
        lambda it: (
            f"{it.of}의 {_after(it.what, '은', '는')} 야간 작업에서 {_after(it.whom, '을', '를')} {it.does}한다. "
            "실패하면 당번에게 알린다."
        ),
        lambda it: f"{_after(it.whom, '이', '가')} {it.does}되는 {it.of} {_after(it.what, '이', '가')} 무엇인가요?",
    ),
    Tongue(
        _EN,
        lambda it: (
            f"The {it.what} of the {it.of} will {it.does} the {it.whom} in the nightly job. "
            "When it fails whoever is on duty is called."
        ),
        lambda it: f"which {it.of} {it.what} does {it.does} the {it.whom}?",
    ),
)


def measure(options: Options) -> list[Figure]:
    """Bars: the right one among the first three for each question; a median at most twice that of English alone."""
    count, asked = options.size(MEMORIES, MEMORIES), options.size(QUESTIONS, QUESTIONS)
    with Ground(options.folder) as mixed, Ground(options.folder) as english:
        worlds = [
            (ground.agent(AGENT), fill(ground, tongues, count, asked))
            for ground, tongues in (
                (mixed, TONGUES),
                (english, TONGUES[-1:]),
            )
        ]
        for workspace, _ in worlds:
            workspace.memory.search(query="anything")
        figures = [figure for name, ask in _ASKS.items() for figure in _compared(name, ask, worlds, count)]
        for workspace, _ in worlds:
            workspace.close()
        return figures


_ASKS: dict[str, Callable[[comity.Workspace], Ask]] = {
    "memory search, ranked": lambda it: partial(it.memory.search, rank=True),
    "search by relevance": lambda it: it.search.find,
}


def fill(ground: Ground, tongues: tuple[Tongue, ...], count: int, asked: int) -> list[tuple[str, str]]:
    """Write ``count`` memories, in turn in each language; questions, each with the id of the memory that answers it."""
    chance, ids = random.Random(11), TimeOrderedIds()
    times = Times(SystemClock().now().ms - 30 * 86_400_000, 29 * 86_400_000 / count)
    rows: list[Row] = []
    questions: list[tuple[str, str]] = []
    seen: set[Note] = set()
    while len(rows) < count:
        number = len(rows)
        tongue = tongues[number % len(tongues)]
        note = tongue.note(chance)
        if note in seen:
            continue
        seen.add(note)
        ms, then = times.at(number)
        rows.append(
            (
                ids.new(ms),
                "workspace",
                f"{note.what} {number}",
                tongue.say(note),
                None,
                None,
                AGENT,
                then,
                then,
                None,
                None,
            )
        )
        if number * asked // count > (number - 1) * asked // count:
            questions.append((tongue.ask(note), rows[-1][0]))
    write(ground.path, {MEMORY: rows})
    return questions


def _compared(
    name: str,
    asking: Callable[[comity.Workspace], Ask],
    worlds: list[tuple[comity.Workspace, list[tuple[str, str]]]],
    count: int,
) -> list[Figure]:
    """The same number of questions to both, one after the other."""
    times: list[list[float]] = [[], []]
    hits = [0, 0]
    asks = [asking(workspace) for workspace, _ in worlds]
    for number in range(len(worlds[0][1])):
        for place in (0, 1) if number % 2 else (1, 0):
            question, wanted = worlds[place][1][number]
            start = time.perf_counter()
            answer = asks[place](query=question)
            times[place].append((time.perf_counter() - start) * 1000)
            hits[place] += wanted in _ids(answer)[:FIRST]
    asked = len(times[0])
    mixed, english = (median(taken) for taken in times)
    beside = {
        "mixed": f"{short(mixed)} ms",
        "English": f"{short(english)} ms",
        "p95 mixed": f"{short(percentile(times[0], 95))} ms",
        "found in English": f"{hits[1]} of {asked}",
    }
    what = f"{count:,} memories in four languages"
    return [
        Figure(f"{name}: the right one of {what} among the first {FIRST}", hits[0], f" of {asked}", "at least", asked),
        Figure(f"{name} over {what}, p50", mixed / english, " of English alone", "at most", BAR, beside),
    ]


def _ids(answer: Any) -> list[str]:
    entries = getattr(answer, "entries", None)
    return [one.memory_id for one in entries] if entries is not None else [one.id for one in answer.results]
