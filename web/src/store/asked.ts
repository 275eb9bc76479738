/** What a page asks the server for, and shows as it was answered last. */

import { useCallback, useEffect, useState } from 'preact/hooks'

export interface Asked<Found> {
  found: Found | null
  problem: string | null
  again: () => Promise<void>
}

/** What an interface gives, asked for once and then when `again` is called. */
export function useAsked<Found>(ask: () => Promise<Found>, about: string): Asked<Found> {
  const [found, setFound] = useState<Found | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const again = useCallback(async () => {
    try {
      setFound(await ask())
      setProblem(null)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }, [about])
  useEffect(() => {
    setFound(null)
    void again()
  }, [again])
  return { found, problem, again }
}
