/** One state for the whole page. Whoever draws asks it and keeps nothing, so that a test can ask it too. */

export class Store<State extends object> {
  private listeners = new Set<() => void>()

  constructor(private state: State) {}

  get(): State {
    return this.state
  }

  /** Puts new values in place of the old; those who listen are told once, after it. */
  set(change: Partial<State> | ((state: State) => Partial<State>)): void {
    const parts = typeof change === 'function' ? change(this.state) : change
    this.state = { ...this.state, ...parts }
    for (const tell of [...this.listeners]) tell()
  }

  /** Returns what ends it. */
  subscribe(tell: () => void): () => void {
    this.listeners.add(tell)
    return () => {
      this.listeners.delete(tell)
    }
  }

  /** Tells only when what is chosen changes. */
  watch<Chosen>(choose: (state: State) => Chosen, tell: (chosen: Chosen, before: Chosen) => void): () => void {
    let before = choose(this.state)
    return this.subscribe(() => {
      const chosen = choose(this.state)
      if (Object.is(chosen, before)) return
      const former = before
      before = chosen
      tell(chosen, former)
    })
  }
}
