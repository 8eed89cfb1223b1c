// Written by `comity init`, removed by `comity init --remove`. Tells Comity of this agent's turns: messages of other
// agents come with the results of tools, and edits of files that others hold are refused. Whatever fails here lets the
// agent go on.
import { spawn } from "node:child_process"

const COMMAND = ["comity"]
const PROGRAM = COMMAND[0]
const LIMIT_MS = 10000
// Tools that change nothing, and Comity's own; any other may write.
const READERS = new Set([
  "read", "grep", "glob", "list", "ls", "webfetch", "websearch", "codesearch", "todowrite", "todoread", "task",
  "skill", "question", "lsp", "plan_enter", "plan_exit", "invalid", "batch",
])
const OWN = /^(macp|masc)[_-]/

// waits: what is handed the program, which may take its time then.
function ask(event, cwd, told, waits) {
  return new Promise((resolve) => {
    const child = spawn(PROGRAM, [...COMMAND.slice(1), "hook", "opencode", event], { cwd, stdio: ["pipe", "pipe", "ignore"] })
    const timer = waits ? undefined : setTimeout(() => child.kill("SIGKILL"), LIMIT_MS)
    waits?.(child)
    const chunks = []
    child.on("error", () => { clearTimeout(timer); resolve({}) })
    child.stdin.on("error", () => {})
    child.stdout.on("data", (chunk) => chunks.push(chunk))
    child.on("close", () => {
      clearTimeout(timer)
      try { resolve(JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}")) } catch { resolve({}) }
    })
    child.stdin.end(JSON.stringify({ ...told, cwd }))
  })
}

export const Comity = async ({ client, directory }) => {
  const sessions = new Map()

  // What is known of a session: its parent, how often its model was asked, and at which of these something was injected.
  function state(id) {
    if (!sessions.has(id)) sessions.set(id, { turn: 0, started: false, compacted: false, warning: new Map() })
    return sessions.get(id)
  }

  async function parent(id) {
    const known = state(id)
    if (known.parent === undefined) {
      try { known.parent = (await client.session.get({ path: { id } })).data?.parentID ?? null } catch { known.parent = null }
    }
    return known.parent
  }

  async function who(id) {
    let root = id
    for (let up = await parent(id); up; up = await parent(up)) root = up
    return root === id ? { session_id: id } : { session_id: root, subagent_id: id }
  }

  // One at a time for a session, so that what a batch of tools injects is not taken for seen within the batch. A hook
  // before a tool or at the user's words (proves: false) leaves it to the next one to say that the model was asked since
  // the last injection.
  function inTurn(event, id, told = {}, proves = true) {
    const known = state(id)
    const mine = (known.last ?? Promise.resolve()).then(async () => {
      const turn = known.turn
      const moved = proves && known.injected !== undefined && turn > known.injected
      const answer = await ask(event, directory, { ...(await who(id)), ...told, moved })
      if (moved) known.injected = undefined
      if (answer.inject || answer.go_on) known.injected = turn
      return answer
    })
    known.last = mine.catch(() => {})
    return mine
  }

  async function begin(id, source) {
    const known = state(id)
    known.started = true
    known.compacted = false
    return (await inTurn("session.start", id, { source })).inject
  }

  // Beside an idle session a program waits for what is to wake it. It ends when the session goes on, or OpenCode has ended.
  async function wait(id) {
    const known = state(id)
    if (!known.started || (await parent(id))) return
    known.beside?.kill()
    const { wake } = await ask("session.idle", directory, { session_id: id }, (child) => {
      known.beside = child
      child.unref()
    })
    if (wake) await client.session.promptAsync({ path: { id }, body: { parts: [{ type: "text", text: wake }] } })
  }

  // What a context that begins, or begins again, is to hold; else what is new.
  async function news(event, id, told) {
    const known = state(id)
    if (!known.started) return begin(id, "startup")
    if (known.compacted) return begin(id, "compact")
    return (await inTurn(event, id, told, event !== "chat.message")).inject
  }

  return {
    event: async ({ event }) => {
      const id = event.properties?.sessionID ?? event.properties?.info?.id
      if (!id) return
      if (event.type === "session.created") state(id).parent = event.properties.info?.parentID ?? null
      if (event.type === "session.idle") wait(id).catch(() => {})
      if (event.type === "session.compacted") state(id).compacted = true
      if (event.type === "session.deleted") {
        state(id).beside?.kill()
        if (state(id).started) await inTurn("session.deleted", id)
        sessions.delete(id)
      }
    },

    "chat.message": async ({ sessionID }, { message, parts }) => {
      const last = parts.at(-1)
      if (parts.every((part) => part.synthetic)) return
      state(sessionID).again = false
      state(sessionID).beside?.kill()
      const text = await news("chat.message", sessionID)
      if (!text || !last?.id) return
      parts.push({ id: last.id + "z", messageID: message.id, sessionID, type: "text", text, synthetic: true })
    },

    // The model's words, maybe its last in this turn. What is said here as a message without reply keeps the turn going.
    "experimental.text.complete": async ({ sessionID }) => {
      const known = state(sessionID)
      if (!known.started) return
      const { go_on } = await inTurn("experimental.text.complete", sessionID, { again: known.again === true })
      if (!go_on) return
      known.again = true
      const body = { noReply: true, parts: [{ type: "text", text: go_on, synthetic: true }] }
      await client.session.prompt({ path: { id: sessionID }, body })
    },

    "experimental.chat.messages.transform": async (_, { messages }) => {
      const id = messages.at(-1)?.info?.sessionID
      if (id) state(id).turn += 1
    },

    "tool.execute.before": async ({ tool, sessionID, callID }, { args }) => {
      if (READERS.has(tool) || OWN.test(tool)) return
      const { refuse, inject } = await inTurn("tool.execute.before", sessionID, { tool, args }, false)
      if (refuse) throw new Error([refuse, inject].filter(Boolean).join("\n\n"))
      if (inject) state(sessionID).warning.set(callID, inject)
    },

    "tool.execute.after": async ({ tool, sessionID, callID, args }, output) => {
      const known = state(sessionID)
      const found = [known.warning.get(callID), await news("tool.execute.after", sessionID, { tool, args })]
      known.warning.delete(callID)
      const text = found.filter(Boolean).join("\n")
      if (!text) return
      if (Array.isArray(output.content)) output.content.push({ type: "text", text })
      else output.output = `${output.output ?? ""}\n\n${text}`
    },
  }
}
