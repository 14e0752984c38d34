/** The ledger's rules against naive references, a fixed number of cases; test/system/fuzz.test.ts goes on from there. */
import t from 'tap'
import { difficultyProperties } from './difficulty.ts'
import { runFixed } from './property.ts'
import { stateProperties } from './state.ts'

runFixed(t, 'test/property/ledger.test.ts', [...stateProperties, ...difficultyProperties])
