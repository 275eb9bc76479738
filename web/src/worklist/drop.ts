/** What was dropped or chosen: files with their place in the folder they came from. */

export interface Found {
  name: string
  file: File
}

async function readAll(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    // A browser gives at most a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return all
    all.push(...some)
  }
}

async function* walk(entry: FileSystemEntry, path: string): AsyncGenerator<Found> {
  const name = path + entry.name
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    yield { name, file }
    return
  }
  for (const inner of await readAll(entry as FileSystemDirectoryEntry)) yield* walk(inner, `${name}/`)
}

const isHidden = (name: string): boolean => name.split('/').some((part) => part === '.DS_Store' || part === 'Thumbs.db' || part === '__MACOSX')

/** Must be called in the event itself: a browser forgets what was dropped right after it. */
export function dropped(transfer: DataTransfer): Promise<Found[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? [])
  const files = entries.length ? [] : [...transfer.files].map((file) => ({ name: file.name, file }))
  return (async () => {
    const found = files
    for (const entry of entries) for await (const each of walk(entry, '')) found.push(each)
    return found.filter(({ name }) => !isHidden(name))
  })()
}

export const chosen = (files: FileList | null): Found[] =>
  [...(files ?? [])].map((file) => ({ name: file.webkitRelativePath || file.name, file })).filter(({ name }) => !isHidden(name))
