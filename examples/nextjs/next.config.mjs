/** The package loads native modules and its own migrations. */
export default { serverExternalPackages: ['darkroom'] }
