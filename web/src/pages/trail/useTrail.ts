import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { api } from '../../api/client';
import { forServer, type Filter } from './filter';

/** This many pages that end before they are full are asked for one after another; then a person says whether to go on. */
const patience = 20;

/** The trail, page after page. */
export function useTrail(filter: Filter) {
  const query = useInfiniteQuery({
    queryKey: ['trail', forServer(filter)] as const,
    queryFn: ({ pageParam, signal }) => api.trail(forServer(filter), pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    staleTime: Infinity, // the trail moves all the time; it is read as of when it was asked for
    refetchOnWindowFocus: false,
  });
  const events = useMemo(() => query.data?.pages.flatMap((p) => p.events) ?? [], [query.data]);
  const pages = query.data?.pages ?? [];
  const last = pages.at(-1);
  // A rare pair of filters: the server looked at as much as it does at a time, and found little.
  const empty = pages.length - 1 - pages.findLastIndex((p) => p.events.length > 0);
  const goOn = !!last && last.events.length === 0 && query.hasNextPage && empty < patience;
  const { fetchNextPage, isFetchingNextPage, isFetchNextPageError } = query;
  useEffect(() => {
    if (goOn && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [goOn, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  return { ...query, events, searchedTo: last?.searchedTo };
}
