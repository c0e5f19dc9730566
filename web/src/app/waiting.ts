import { infiniteQueryOptions, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { useLive } from './live';
import { useMe } from './queries';

// All that is about two people stands under one key, so that one event makes it new.
const key = 'approvals';

export const waitingQuery = queryOptions({ queryKey: [key, 'waiting'], queryFn: ({ signal }) => api.waiting(signal), refetchInterval: 30_000 });
export const approvalsQuery = (show: string) =>
  infiniteQueryOptions({
    queryKey: [key, 'list', show],
    queryFn: ({ pageParam, signal }) => api.approvals(show, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  });
export const emergenciesQuery = (waiting: boolean) =>
  infiniteQueryOptions({
    queryKey: [key, 'glass', waiting],
    queryFn: ({ pageParam, signal }) => api.emergencies(waiting, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  });
export const myEmergencyQuery = queryOptions({ queryKey: [key, 'mine'], queryFn: ({ signal }) => api.myEmergency(signal), refetchInterval: 30_000 });

/** What waits for this person; undefined for whoever has nothing to do with requests. */
export function useWaiting() {
  const { can } = useMe();
  return useQuery({ ...waitingQuery, enabled: can.approvals }).data;
}

/** Keeps all that is about two people as new as the server tells. */
export function useApprovalsLive(): void {
  const client = useQueryClient();
  const renew = () => void client.invalidateQueries({ queryKey: [key] });
  useLive('approvals', renew);
  useLive('breakGlass', renew);
}

/** Asks for all of it anew, after this person changed something. */
export function useRenewApprovals(): () => void {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: [key] });
}
