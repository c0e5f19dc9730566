import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Report } from '@custos/verify';
import { historyQuery } from '../../app/queries';

const pinned = 'custos-log-key';

export interface Check {
  run: () => void;
  running: boolean;
  report?: Report;
  error: Error | null;
  /** remembers the key of the last check as the one that was compared, and checks again */
  confirmKey: () => void;
}

/**
 * Checks the custody of a recording in this browser, from the bytes that the
 * server handed over. A log key that a person has compared and confirmed is
 * remembered on this computer; from then on another key is a fault.
 */
export function useCheck(recording: string): Check {
  const client = useQueryClient();
  const { mutate, isPending, data, error } = useMutation({
    mutationFn: async () => {
      const [{ checkHistory }, history] = await Promise.all([import('@custos/verify'), client.query({ ...historyQuery(recording), staleTime: 0 })]);
      return checkHistory(history, localStorage.getItem(pinned) ?? undefined);
    },
  });
  return {
    run: () => mutate(),
    running: isPending,
    report: data,
    error,
    confirmKey: () => {
      if (data) localStorage.setItem(pinned, data.logKey);
      mutate();
    },
  };
}
