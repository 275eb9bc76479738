/** Signs on buttons, drawn in the colour of the text; the words stand beside or in the label. */

const PATHS: Readonly<Record<string, string>> = {
  back: 'M15 5l-7 7 7 7',
  window: 'M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16',
  zoom: 'M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L20 20M8 10.5h5M10.5 8v5',
  pan: 'M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3',
  calliper: 'M4 20L20 4M3 16l5 5M16 3l5 5M9.5 12.5l2 2M12.5 9.5l2 2',
  play: 'M7 4l13 8-13 8z',
  pause: 'M7 4h3.5v16H7zM13.500 4H17v16h-3.500z',
  previous: 'M17 5l-9 7 9 7zM6 5v14',
  next: 'M7 5l9 7-9 7zM18 5v14',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  stop: 'M6 6h12v12H6z',
  check: 'M4 12l5 6L20 6',
  sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2',
  moon: 'M20 14A8.500 8.500 0 0 1 10 4a8.500 8.500 0 1 0 10 10z',
  person: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 21c1-5 4-7 8-7s7 2 8 7',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4M12 11v6M9 14h6',
  folder: 'M3 6h7l2 2h9v11H3zM12 11v5M9.500 13.500h5',
  search: 'M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L20 20',
  reset: 'M4 12a8 8 0 1 0 3-6.200M4 3v5h5',
  close: 'M5 5l14 14M19 5L5 19',
  download: 'M12 3v12M7 10l5 5 5-5M4 20h16',
  again: 'M20 12a8 8 0 1 1-3-6.200M20 3v5h-5',
  pointer: 'M6 3l12 10-6 .500-3 6zM12.500 14l3.500 6.500',
  brush: 'M20 4c-5 2-9 6-11 9l2 2c3-2 7-6 9-11zM9 13c-4 0-3 5-6 6 3 2 8 0 8-4',
  eraser: 'M4 15l9-10 7 6-8 9H8zM9 10l7 6M8 20h12',
  landmarks: 'M5 19h14M5 16v6M19 16v6M12 4v11M9 7l3-3 3 3',
  restore: 'M7 8L3 12l4 4M12 8l-4 4 4 4M8 12h7a5 5 0 0 1 5 5v2',
  undo: 'M9 5L4 10l5 5M4 10h10a5.500 5.500 0 0 1 0 11h-3',
  redo: 'M15 5l5 5-5 5M20 10H10a5.500 5.500 0 0 0 0 11h3',
  push: 'M4 8c5 0 4 8 9 8s4-4 7-4M8 20l4-4',
}

export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name] ?? ''} />
    </svg>
  )
}
