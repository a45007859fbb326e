import { EXIT, UsageError, type Command } from './command.ts'
import { bashScript, fishScript, zshScript } from './completion/scripts.ts'
import { completionsOf } from './completion/words.ts'

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** Generated from `commands`, so that no option is missing. */
export function createCompletion(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'Print a completion script for a shell',
    usage: 'bash | zsh | fish',
    takesPositionals: true,
    notes: {
      'To enable it': {
        bash: 'source <(darkroom completion bash), in ~/.bashrc',
        zsh: 'source <(darkroom completion zsh), in ~/.zshrc after compinit',
        fish: 'darkroom completion fish > ~/.config/fish/completions/darkroom.fish',
      },
    },
    examples: ['source <(darkroom completion bash)'],
    run: async ({ positionals: [shell = '', ...more] }, { out }) => {
      const script = Object.entries(SHELLS).find(([name]) => name === shell)?.[1]
      if (script === undefined || more.length > 0)
        throw new UsageError('`darkroom completion` takes one of: bash, zsh, fish.')
      out.write(script(completionsOf(commands())))
      return EXIT.ok
    },
  }
}
