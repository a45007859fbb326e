#!/usr/bin/env node
// CommonJS (see package.json in this folder) and ES5, so that every Node can parse this file and an old one can say what is
// missing. start.js loads the rest.
'use strict'

var version = process.versions.node
var refusal =
  'Darkroom needs Node.js 24 or newer, and this is Node.js ' +
  version +
  ': install a current one from https://nodejs.org, or with a version manager ("nvm install 24").\n'

if (parseInt(version, 10) >= 24) {
  require('./start.js')
} else {
  process.stderr.write(refusal)
  process.exitCode = 78
}
