import { useEffect, useState } from 'react';

/** The text that was typed last, once the hand rests: a list is not asked for at every letter. */
export function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => setRested(text), 250);
    return () => window.clearTimeout(timer);
  }, [text]);
  return rested;
}
