import { requestRule, type AddressRule } from '../../src/providers/wire/address.ts'

/** Lets webhooks go to a server of the test's own. */
export const ANY_ADDRESS: AddressRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }
