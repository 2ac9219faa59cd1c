// `choo completion`: a script that completes choo's command line in a shell, made from the definitions of the commands.

import type { Command } from 'commander';
import { bashScript } from '../show/completion/bash.ts';
import { fishScript } from '../show/completion/fish.ts';
import type { Shape } from '../show/completion/shape.ts';
import { zshScript } from '../show/completion/zsh.ts';
import type { Io } from './io.ts';
import { shapeOf } from './shape.ts';
import type { ShellName } from './shells.ts';

const SCRIPTS: Readonly<Record<ShellName, (shape: Shape) => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** Prints the script. */
export function completion(shell: ShellName, program: Command, io: Io): number {
  io.out.write(SCRIPTS[shell](shapeOf(program)));
  return 0;
}
