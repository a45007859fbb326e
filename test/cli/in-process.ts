import { runIn } from '../../src/cli/main.ts'
import { plain, type Screen } from '../../src/cli/screen.ts'
import type { Ending } from './darkroom.ts'

export interface RecordingScreen extends Screen {
  written(): string
}

/** A screen that records its output: a pipe, or a terminal of this size. */
export function recordingScreen(size?: { columns: number; rows: number }): RecordingScreen {
  let text = ''
  return {
    write: (more) => void (text += more),
    paint: plain,
    isTerminal: size !== undefined,
    isTruecolor: size !== undefined,
    size: () => size ?? { columns: 80, rows: 24 },
    written: () => text,
  }
}

/** `darkroom …` in this process: a child takes a second of CPU time to load. */
export async function darkroomHere(
  args: readonly string[],
  { cwd, env = {}, out = recordingScreen() }: { cwd: string; env?: NodeJS.ProcessEnv; out?: RecordingScreen },
): Promise<Ending> {
  const err = recordingScreen()
  const exitCode = await runIn(args, { out, err, env, cwd })
  return { exitCode, stdout: out.written(), stderr: err.written() }
}
