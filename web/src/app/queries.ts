import { QueryCache, MutationCache, QueryClient, infiniteQueryOptions, queryOptions, useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, Problem } from '../api/client';
import type { Me, PurposeRule } from '../api/types';

/** Codes after which asking again at once gives the same answer. */
const final = new Set(['unauthenticated', 'step_up', 'denied', 'not_found', 'invalid', 'conflict', 'held', 'corrupt', 'full']);

export function newQueryClient(): QueryClient {
  // A 401 from anywhere means that the session is over: the guard (session.tsx)
  // sees nobody signed in and shows the sign-in page, which leads back here.
  const signedOut = (e: unknown) => {
    if (e instanceof Problem && e.status === 401) client.setQueryData(meQuery.queryKey, null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: signedOut }),
    mutationCache: new MutationCache({ onError: signedOut }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        networkMode: 'always',
        retry: (failures, e) => failures < 2 && !(e instanceof Problem && final.has(e.code)),
        retryDelay: (n) => 500 * 2 ** n,
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => api.me(signal),
  staleTime: 60_000,
});

export const waysQuery = queryOptions({ queryKey: ['ways'], queryFn: ({ signal }) => api.ways(signal), staleTime: Infinity });
export const accountQuery = queryOptions({ queryKey: ['account'], queryFn: ({ signal }) => api.account(signal), staleTime: 0 });

/** The person signed in. Only for what stands inside the guard. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (!data) throw new Error('nobody is signed in');
  return data;
}

export const recordingQuery = (id: string) =>
  queryOptions({ queryKey: ['recording', id], queryFn: ({ signal }) => api.recording(id, signal) });
export const historyQuery = (id: string) =>
  queryOptions({ queryKey: ['history', id], queryFn: ({ signal }) => api.history(id, signal), staleTime: 0 });
/** The force's list of reasons to watch. It changes only when the server is started anew. */
export const purposesQuery = queryOptions({ queryKey: ['purposes'], queryFn: ({ signal }) => api.purposes(signal), staleTime: 600_000 });

const noRules: PurposeRule[] = [];

/** The list, as far as it is here; empty for somebody who may not have it. */
export function usePurposes(): PurposeRule[] {
  const { can } = useMe();
  return useQuery({ ...purposesQuery, enabled: can.recordings }).data ?? noRules;
}

/** What a code of the list is called; one that is not in it (any more) is called by its code. */
export function usePurposeName(): (code: string) => string {
  const rules = usePurposes();
  return useCallback((code) => rules.find((p) => p.code === code)?.name ?? (code === 'own' ? 'Own footage' : code), [rules]);
}

/** Open hold requests, page after page. */
export const holdRequestsQuery = infiniteQueryOptions({
  queryKey: ['hold-requests'],
  queryFn: ({ pageParam, signal }) => api.holdRequests(pageParam, signal),
  initialPageParam: '',
  getNextPageParam: (last) => last.next || undefined,
});
export const daysQuery = queryOptions({ queryKey: ['days'], queryFn: ({ signal }) => api.days(signal), staleTime: 60_000 });
export const docksQuery = queryOptions({ queryKey: ['docks'], queryFn: async ({ signal }) => (await api.docks(signal)).docks ?? [] });
export const personQuery = (id: string) => queryOptions({ queryKey: ['people', id], queryFn: ({ signal }) => api.person(id, signal) });
export const unitsQuery = queryOptions({ queryKey: ['units'], queryFn: async ({ signal }) => (await api.units(signal)).units });
export const caseQuery = (id: string) => queryOptions({ queryKey: ['cases', id], queryFn: ({ signal }) => api.case(id, signal) });
export const systemQuery = queryOptions({ queryKey: ['system'], queryFn: ({ signal }) => api.system(signal), refetchInterval: 10_000 });
