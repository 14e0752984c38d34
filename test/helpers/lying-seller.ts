/** A seller that signs what it likes: real keys and seals, and whatever ciphertext and lock the test wants. */
import { hash } from 'node:crypto'
import { checkFileMessage, signFileMessage } from '../../ledger/file-quote.ts'
import type { Network } from '../../ledger/network.ts'
import { sealChunk } from '../../node/file-cipher.ts'
import { FileConversation } from '../../node/file-conversation.ts'
import { createKeyPair } from '../../node/key-agreement.ts'
import { hashing, type Signer } from '../../node/signing.ts'
import { chunksOf, FILE_CHUNK_BYTES, type Quote } from '../../schemas/file-message.ts'
import { type Account, type Hash, hashFromBytes } from '../../schemas/hex.ts'

export interface Lie {
  readonly text: Uint8Array
  readonly key: Uint8Array
  /** What the quote says in place of the truth. */
  readonly quote?: Partial<Quote>
  /** What a chunk of the ciphertext becomes before it is hashed for the quote, and before it is sent. */
  readonly onQuote?: (chunk: Uint8Array, index: number) => Uint8Array
  readonly onSend?: (chunk: Uint8Array, index: number) => Uint8Array
}

/** For `FileMarket.installSeller`. */
export const lyingSeller =
  (network: Network, signer: Signer, lie: Lie) => (tell: (to: Account, payload: Uint8Array) => void) => {
    const same = (chunk: Uint8Array): Uint8Array => chunk
    const { text, key, onQuote = same, onSend = same } = lie
    const pair = createKeyPair()
    const chunks = chunksOf(text.length)
    const sealed = Array.from({ length: chunks }, (_, index) => {
      const part = text.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES)
      return sealChunk(key, { index, last: index === chunks - 1 }, part)
    })
    const lock = lie.quote?.lock ?? hashFromBytes(hashing.plain(key))
    const quoted = Buffer.concat(sealed.map(onQuote))
    const terms = {
      ...{
        sellerKey: pair.publicKey,
        file: hashFromBytes(new Uint8Array(32).fill(7)),
        size: text.length,
        chunks,
      },
      ...{ ciphertext: hash('sha256', quoted) as Hash, price: 200_000_000, lock, blocks: 12, minutes: 1 },
      ...{ confirmations: 2, until: 2 ** 47, ...lie.quote },
    }
    let conversation: FileConversation | undefined
    return {
      onUpdate: () => {},
      tick: () => {},
      stop: async () => {},
      onMessage({ publisher: buyer }: { readonly publisher: Account }, payload: Uint8Array) {
        const checked = checkFileMessage(network, payload, buyer, signer.account)
        if (!checked.ok) return
        const { value } = checked
        if (value.type === 'quoteRequest') {
          const { seller, name, publicKey } = value
          const parties = { genesis: network.genesisHash, seller, buyer, lock: terms.lock }
          conversation = FileConversation.between(pair, publicKey, parties)
          const head = { type: 'quote', seller, buyer, name, publicKey } as const
          tell(buyer, signFileMessage(network, { ...head, ...terms }, signer.sign))
        }
        if (value.type !== 'chunkRequest' || conversation?.isRequest(value) !== true) return
        for (let index = value.first; index < value.first + value.count; index++) {
          const chunk = sealed[index]
          if (chunk !== undefined) tell(buyer, conversation.chunk(index, onSend(chunk, index)))
        }
      },
    }
  }
