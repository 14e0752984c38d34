/**
 * Who may publish and subscribe to what: pure functions over the topic tree.
 *
 * People are anonymous: they read everything and publish nothing. A device publishes under its own account only, a
 * validator also what is the validators'. The challenge is the broker's own and goes past these rules. Whoever may
 * publish a binary topic may publish its JSON mirror. Source: docs/PROTOCOL.md section 7.
 */
import type { Account } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { KINDS, type ParsedTopic, parseTopic } from '../schemas/topic.ts'
import { isFilter } from './filter.ts'

export type Identity =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'device' | 'validator'; readonly account: Account }

export interface AccessFault {
  readonly code:
    | 'anonymous-publish'
    | 'unknown-topic'
    | 'foreign-name'
    | 'validators-only'
    | 'retained-event'
    | 'malformed-filter'
    | 'system-topic'
  readonly topic: string
}

export const ANONYMOUS: Identity = { kind: 'anonymous' }

/** Whether `identity` may publish to `topic`, with or without the retain flag; also the rule for last wills. */
export function mayPublish(
  identity: Identity,
  topic: string,
  retain: boolean,
): Result<ParsedTopic, AccessFault> {
  if (identity.kind === 'anonymous') return refuse({ code: 'anonymous-publish', topic })
  const parsed = parseTopic(topic)
  if (parsed === undefined) return refuse({ code: 'unknown-topic', topic })
  if (parsed.publisher !== identity.account) return refuse({ code: 'foreign-name', topic })
  const kind = KINDS[parsed.kind]
  if (kind.publisher === 'validator' && identity.kind !== 'validator')
    return refuse({ code: 'validators-only', topic })
  // A retained event would be taken for a new one by everybody who subscribes later.
  if (retain && !kind.retained) return refuse({ code: 'retained-event', topic })
  return accept(parsed)
}

/** Whether anybody may subscribe to `filter`. `$SYS` names every client and its filters: it is nobody's. */
export function maySubscribe(filter: string): Result<string, AccessFault> {
  if (filter.startsWith('$')) return refuse({ code: 'system-topic', topic: filter })
  if (!isFilter(filter)) return refuse({ code: 'malformed-filter', topic: filter })
  return accept(filter)
}
