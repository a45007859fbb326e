// The rules of wording and naming. Each takes files and returns one sentence per violation: none when the rule is kept.
import type { Tree } from '../architecture/source.ts'

/** Words that name no one in particular, are out of use, or stand in for a term of the field. */
const UNCLEAR = /\b(?:whoever|whomever|somebody|nobody|anybody|everybody|anew|reckon\w*|as it comes)\b/gi

/** Uses that are a name outside this project: the rest of the line after the path, and why it stays. */
export interface ProperUse {
  path: string
  line: RegExp
  reason: string
}

/** Constants that state a bound are called MAX_ or MIN_. */
const VAGUE_BOUND = /\b(?:MOST|LEAST|LONGEST)_[A-Z]\w*/g

const EXPORTED_TYPE = /^export (?:declare )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm

export function findUnclearWords(tree: Tree, properUses: readonly ProperUse[] = []): string[] {
  return linesOf(tree).flatMap(({ path, number, line }) =>
    properUses.some((use) => use.path === path && use.line.test(line))
      ? []
      : [...line.matchAll(UNCLEAR)].map(([word]) => `${path}:${number} says "${word}": ${line.trim()}`),
  )
}

/** Proper uses that no line needs any more. */
export function findIdleExceptions(tree: Tree, properUses: readonly ProperUse[]): string[] {
  const lines = linesOf(tree)
  return properUses
    .filter((use) => !lines.some(({ path, line }) => path === use.path && use.line.test(line)))
    .map(({ path, line }) => `${path} has no line that matches ${String(line)}`)
}

export function findVagueBounds(tree: Tree): string[] {
  return linesOf(tree).flatMap(({ path, number, line }) =>
    [...line.matchAll(VAGUE_BOUND)].map(([name]) => `${path}:${number} names a bound ${name}`),
  )
}

/** One name is one thing: no two files declare an exported type of the same name. */
export function findDuplicateTypes(tree: Tree): string[] {
  const declared = Object.entries(tree).flatMap(([path, text]) =>
    [...text.matchAll(EXPORTED_TYPE)].map(([, name = '']) => ({ path, name })),
  )
  return [...Map.groupBy(declared, ({ name }) => name)]
    .filter(([, places]) => places.length > 1)
    .map(([name, places]) => `${name} is exported by ${places.map(({ path }) => path).join(' and ')}`)
}

/** Tests are written as `it(...)`: one spelling everywhere. */
export function findImportsOfTest(tree: Tree): string[] {
  return Object.entries(tree)
    .filter(([, text]) => /^import \{[^}]*\btest\b[^}]*\} from 'vitest'/m.test(text))
    .map(([path]) => `${path} imports test from vitest; write it(...)`)
}

function linesOf(tree: Tree): { path: string; number: number; line: string }[] {
  return Object.entries(tree).flatMap(([path, text]) =>
    text.split('\n').map((line, index) => ({ path, number: index + 1, line })),
  )
}
