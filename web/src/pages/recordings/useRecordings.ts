import { useInfiniteQuery, useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { api, Problem } from '../../api/client';
import type { Card, Detail, RecordingsPage } from '../../api/types';
import { useLive } from '../../app/live';
import { forServer, type Filter } from './filter';

const keyOf = (filter: Filter) => ['recordings', forServer(filter)] as const;

/** The list, page after page. */
export function useRecordings(filter: Filter) {
  const query = useInfiniteQuery({
    queryKey: keyOf(filter),
    queryFn: ({ pageParam, signal }) => api.recordings(forServer(filter), pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    staleTime: Infinity, // what is new is announced by the event stream and shown when asked for
  });
  const cards = useMemo(() => query.data?.pages.flatMap((p) => p.items) ?? [], [query.data]);
  return { ...query, cards };
}

export const cardOf = ({ segmentCount, ...d }: Detail): Card => ({
  id: d.id, device: d.device, officer: d.officer, category: d.category, startedAt: d.startedAt, createdAt: d.createdAt,
  durationMs: d.durationMs, segments: segmentCount, bytes: d.bytes, state: d.state, why: d.why, poster: d.poster,
});

export function matches(f: Filter, c: Card): boolean {
  const q = forServer(f);
  const at = Date.parse(c.startedAt);
  return (!q.officer || c.officer === q.officer) && (!q.device || c.device === q.device)
    && (!q.from || at >= Date.parse(q.from)) && (!q.to || at < Date.parse(q.to));
}

type Pages = InfiniteData<RecordingsPage, string>;

/** Takes a recording out of every list that this browser keeps. */
export function dropFromLists(client: QueryClient, id: string): void {
  client.setQueriesData<Pages>({ queryKey: ['recordings'] }, (old) => (old?.pages.some((p) => p.items.some((c) => c.id === id))
    ? { ...old, pages: old.pages.map((p) => ({ ...p, items: p.items.filter((c) => c.id !== id) })) }
    : old));
}

/** More ids than this at once are not looked at one by one. */
const looked = 12;

/**
 * Counts recordings that arrived since the list was loaded and belong in it,
 * without moving anything on the screen. A recording that is in the list
 * already is brought up to date where it stands.
 */
export function useNews(filter: Filter, cards: Card[]) {
  const client = useQueryClient();
  const key = keyOf(filter);
  const name = JSON.stringify(key);
  const [news, setNews] = useState<{ of: string; ids: ReadonlySet<string> }>({ of: name, ids: new Set() });
  const waiting = useRef(new Set<string>());
  const timer = useRef<number | undefined>(undefined);
  const current = useRef({ filter, key, name, cards });
  useEffect(() => {
    current.current = { filter, key, name, cards };
  });
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const look = async () => {
    timer.current = undefined;
    const ids = [...waiting.current];
    waiting.current.clear();
    const found = await Promise.all(ids.slice(0, looked).map((id) => api.recording(id).then(cardOf, (e: unknown) => {
      if (!(e instanceof Problem)) throw e;
      if (e.code === 'not_found') dropFromLists(client, id); // one that this person may not see, or no longer
      return null;
    })));
    const { filter: f, key: k, name: n, cards: shown } = current.current;
    const here = new Set(shown.map((c) => c.id));
    const byID = new Map(found.filter((c) => c !== null).map((c) => [c.id, c]));
    client.setQueryData<Pages>(k, (old) => old && {
      ...old,
      pages: old.pages.map((p) => (p.items.some((c) => byID.has(c.id)) ? { ...p, items: p.items.map((c) => byID.get(c.id) ?? c) } : p)),
    });
    const fresh = [...byID.values()].filter((c) => !here.has(c.id) && matches(f, c)).map((c) => c.id);
    const more = ids.slice(looked).filter((id) => !here.has(id));
    if (fresh.length + more.length > 0) {
      setNews((old) => ({ of: n, ids: new Set([...(old.of === n ? old.ids : []), ...fresh, ...more]) }));
      void client.invalidateQueries({ queryKey: ['days'] });
    }
  };
  const wake = (id: string) => {
    waiting.current.add(id);
    timer.current ??= window.setTimeout(() => void look(), 1200);
  };
  useLive('recordings', ({ id }) => wake(id));
  useLive('work', ({ recording, state }) => {
    if (state === 'done' || state === 'failed') wake(recording);
  });

  return {
    fresh: news.of === name ? news.ids.size : 0,
    showNews: async () => {
      setNews({ of: name, ids: new Set() });
      // From the top again: the places of all pages below have moved.
      client.setQueryData<Pages>(key, (old) => old && { pages: old.pages.slice(0, 1), pageParams: old.pageParams.slice(0, 1) });
      await client.invalidateQueries({ queryKey: key });
    },
  };
}
