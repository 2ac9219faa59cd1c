// Which programs a shell command names, as far as that can be told without being a shell.

/** The first word of each simple command, but for variables set before it; words that only a shell understands are left out. */
export function programsOf(command: string): readonly string[] {
  return command.split(/[;&|()\n]+/).flatMap((part) => {
    const word = part.trim().split(/\s+/).find((w) => w !== '' && !/^[A-Za-z_]\w*=/.test(w));
    return word !== undefined && /^[\w./@+-]+$/.test(word) ? [word] : [];
  });
}
