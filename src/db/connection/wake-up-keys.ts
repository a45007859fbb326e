/** A cooldown or the queue of a provider may have changed. */
export const PROVIDERS_KEY = 'providers'
