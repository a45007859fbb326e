import type { CompletedOption, Completions } from './words.ts'

/** gnu.org/software/bash/manual/html_node/Programmable-Completion.html */
export function bashScript(commands: readonly Completions[]): string {
  return `# Completion of darkroom for bash: source <(darkroom completion bash)
_darkroom() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
  else
    case \${COMP_WORDS[1]} in
${commands.map(bashCase).join('\n')}
    esac
  fi
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}
complete -F _darkroom darkroom
`
}

function bashCase({ name, words, options, takesFiles }: Completions): string {
  const paths = options.filter(({ takesPath }) => takesPath).map((option) => option.name)
  const others = options.filter(({ value, takesPath }) => value !== undefined && !takesPath)
  const values = [
    ...(paths.length > 0 ? [`          ${paths.join('|')}) compopt -o default; return ;;`] : []),
    ...(others.length > 0 ? [`          ${others.map((option) => option.name).join('|')}) return ;;`] : []),
  ]
  return [
    `      ${name})`,
    ...(values.length > 0 ? ['        case $previous in', ...values, '        esac'] : []),
    ...(takesFiles
      ? [
          `        [[ $current != -* ]]${words.length > 0 ? ' && (( COMP_CWORD > 2 ))' : ''} && compopt -o default`,
        ]
      : []),
    `        words='${options.map((option) => option.name).join(' ')} --help'`,
    ...(words.length > 0 ? [`        (( COMP_CWORD == 2 )) && words+=' ${words.join(' ')}'`] : []),
    '        ;;',
  ].join('\n')
}

/** zsh.sourceforge.io/Doc/Release/Completion-System.html, `_arguments` and `_describe`. */
export function zshScript(commands: readonly Completions[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${colons(summary)}`)}`)
  return `#compdef darkroom
# Completion of darkroom for zsh: source <(darkroom completion zsh)
_darkroom() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${commands.map(zshCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _darkroom ]]; then _darkroom "$@"; else compdef _darkroom darkroom; fi
`
}

function zshCase({ name, words, options, takesFiles }: Completions): string {
  const specs = [
    ...options.map(zshOption),
    ...(words.length > 0 ? [quoted(`1:argument:(${words.join(' ')})`)] : []),
    ...(takesFiles ? [quoted('*:file:_files')] : []),
  ]
  return `    ${name}) _arguments ${[quoted('--help[Show help]'), ...specs].join(' ')} ;;`
}

function zshOption({ name, summary, value, takesPath }: CompletedOption): string {
  const description = `${name}[${colons(summary).replace(/[[\]]/g, '\\$&')}]`
  return quoted(
    value === undefined ? description : `${description}:${colons(value)}:${takesPath ? '_files' : ''}`,
  )
}

function colons(text: string): string {
  return text.replaceAll(':', '\\:')
}

/** fishshell.com/docs/current/cmds/complete.html */
export function fishScript(commands: readonly Completions[]): string {
  return [
    '# Completion of darkroom for fish: darkroom completion fish > ~/.config/fish/completions/darkroom.fish',
    'complete -c darkroom -f',
    ...commands.flatMap(fishLines),
    '',
  ].join('\n')
}

function fishLines({ name, summary, words, options, takesFiles }: Completions): string[] {
  const seen = `__fish_seen_subcommand_from ${name}`
  const inCommand = `complete -c darkroom -n ${quoted(seen)}`
  // Another command's name is an argument of `help`.
  const first = `__fish_is_nth_token 2; and ${seen}`
  return [
    `complete -c darkroom -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`,
    ...options.map((option) => {
      const argument = option.value === undefined ? '' : option.takesPath ? ' -r -F' : ' -x'
      return `${inCommand} -l ${option.name.slice(2)}${argument} -d ${fishQuoted(option.summary)}`
    }),
    ...(words.length > 0 ? [`complete -c darkroom -n ${quoted(first)} -a ${quoted(words.join(' '))}`] : []),
    ...(takesFiles ? [`${inCommand} -F`] : []),
  ]
}

/** For bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
