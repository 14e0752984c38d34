/**
 * Keys and hashes as branded lowercase hex text: the form they have in memory, in topics and in JSON.
 *
 * Text compares with `===` and is a Map key; codecs turn it into the 32 bytes that are hashed and sent.
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { z } from 'zod'

/** 32-byte hash (SHA-256) as 64 hex digits; a block hash reads with its leading zeros first. */
export type Hash = string & { readonly __brand: 'Hash' }
/** Ed25519 public key (RFC 8032, 32 bytes) as 64 hex digits; it is the account's number and name. */
export type Account = string & { readonly __brand: 'Account' }
/** First 4 bytes of the genesis hash as 8 hex digits: names a network in topics and transactions. */
export type Network = string & { readonly __brand: 'Network' }

export const ZERO_HASH = '0'.repeat(64) as Hash

const hexText = (bytes: number) =>
  z
    .string()
    .regex(
      new RegExp(`^[0-9a-f]{${bytes * 2}}$`),
      `expected ${bytes * 2} lowercase hex digits (${bytes} bytes)`,
    )

export const hashText = hexText(32).transform((text) => text as Hash)
export const accountText = hexText(32).transform((text) => text as Account)
export const networkText = hexText(4).transform((text) => text as Network)

/** The two digits of every byte, as ASCII codes. */
const DIGITS = Uint8Array.from({ length: 512 }, (_, at) => {
  const digit = at % 2 === 0 ? at >> 5 : (at >> 1) & 15
  return digit + (digit < 10 ? 48 : 87)
})
const ascii = new TextDecoder('latin1')

/** For the text of a hash or key, of which a start makes many thousands. */
const HASH_CODES = new Uint8Array(64)

/** In one piece: text that is joined digit by digit keeps its pieces, a kilobyte for each hash that is remembered. */
export const toHex = (bytes: Uint8Array): string => hexOf(bytes, 0, bytes.length)

/** Text of the bytes `from` to before `to`. */
export function hexOf(bytes: Uint8Array, from: number, to: number): string {
  const codes = to - from === 32 ? HASH_CODES : new Uint8Array(2 * (to - from))
  for (let at = from, digit = 0; at < to; at++) {
    const byte = bytes[at] as number
    codes[digit++] = DIGITS[2 * byte] as number
    codes[digit++] = DIGITS[2 * byte + 1] as number
  }
  return ascii.decode(codes)
}
export const fromHex = (text: string): Uint8Array => hexToBytes(text)
export const hashFromBytes = (bytes: Uint8Array): Hash => toHex(bytes) as Hash
export const accountFromBytes = (bytes: Uint8Array): Account => toHex(bytes) as Account

/** Short form for people's eyes only, never for comparison. */
export const short = (text: string): string => text.slice(0, 8)
