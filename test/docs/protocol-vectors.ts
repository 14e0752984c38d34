/** The vectors of docs/PROTOCOL.md section 13, as test/vectors/make_vectors.py makes them. */
import { readFileSync } from 'node:fs'
import { certificate, certificates, vote } from '../../schemas/checkpoint.ts'
import { grant } from '../../schemas/grant.ts'
import { accountView, batchedSample, receipt, status, tip } from '../../schemas/message.ts'
import { type Offer, offer } from '../../schemas/offer.ts'
import { balanceProof, inclusionProof } from '../../schemas/proof.ts'
import { paidMessage, soldReading } from '../../schemas/sealed.ts'
import { fromRoot } from '../helpers/root.ts'

/** The messages of section 8 that have a layout, by their names in the vectors. */
export const laidOut = {
  ...{ tip, accountView, receipt, batchedSample, status, inclusionProof, balanceProof },
  ...{ vote, certificate, certificates, grant, soldReading, paidMessage, offer },
}

export const path = (name: string) => fromRoot('test/vectors', name)
const vectors = (name: string) => JSON.parse(readFileSync(path(name), 'utf8'))
export const encoding = vectors('encoding.json')
export const ledger = vectors('ledger.json')
export const spoken = vectors('messages.json').messages as { codec: string; json: unknown; bytes: string }[]
export const ofCodec = (name: string) => spoken.filter(({ codec }) => codec === name)
export const [sold] = ofCodec('offer').map(({ json }) => offer.json.parse(json)) as [Offer]
