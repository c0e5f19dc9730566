import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { api } from '../api/client';
import type { Dock, DockStatus } from '../api/types';
import { docksQuery, meQuery } from './queries';

/** What the server tells of its own accord (server-sent events). */
export interface LiveEvents {
  docks: DockStatus;
  recordings: { id: string };
  checkpoint: { size: number; at: string };
  work: { recording: string; kind: string; state: string };
  approvals: object;
  /** whose it is, only for those who review it */
  breakGlass: { id?: string; name?: string; state?: string };
}

type Listener = (name: keyof LiveEvents, data: LiveEvents[keyof LiveEvents]) => void;

interface Live {
  /** false while the stream is broken; it mends itself */
  connected: boolean;
  listen: (l: Listener) => () => void;
}

const LiveContext = createContext<Live>({ connected: true, listen: () => () => undefined });
const names: (keyof LiveEvents)[] = ['docks', 'recordings', 'checkpoint', 'work', 'approvals', 'breakGlass'];

/** Keeps one event stream open for the whole page, and opens it again when it breaks. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const listeners = useRef(new Set<Listener>());
  const [connected, setConnected] = useState(true);

  useEffect(() => {
    let source: EventSource | undefined;
    let timer: number | undefined;
    let wasBroken = false;
    const open = () => {
      source = api.events();
      source.onopen = () => {
        setConnected(true);
        // What changed while nobody listened is not sent again.
        if (wasBroken) void client.invalidateQueries();
        wasBroken = false;
      };
      source.onerror = () => {
        wasBroken = true;
        setConnected(false);
        // The browser opens a broken stream again by itself, but not one that was answered with an error.
        if (source?.readyState === EventSource.CLOSED) {
          void client.invalidateQueries({ queryKey: meQuery.queryKey });
          timer = window.setTimeout(open, 5000);
        }
      };
      for (const name of names) {
        source.addEventListener(name, (e: MessageEvent<string>) => {
          const data = JSON.parse(e.data) as LiveEvents[typeof name];
          if (name === 'docks') client.setQueryData(docksQuery.queryKey, (old) => old && withStatus(old, data as DockStatus));
          for (const l of listeners.current) l(name, data);
        });
      }
    };
    open();
    return () => {
      window.clearTimeout(timer);
      source?.close();
    };
  }, [client]);

  const live = useMemo<Live>(
    () => ({
      connected,
      listen: (l) => {
        listeners.current.add(l);
        return () => listeners.current.delete(l);
      },
    }),
    [connected],
  );
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** The docks with one dock's newest word put in. A dock not seen before changes nothing here: the list is asked for again. */
export function withStatus(docks: Dock[], status: DockStatus): Dock[] {
  return docks.map((d) => (d.id === status.dock ? { ...d, ...status, online: true, lastSeen: status.at } : d));
}

export const useLiveState = () => useContext(LiveContext).connected;

/** Calls handler for every live event of one name while the component is shown. */
export function useLive<N extends keyof LiveEvents>(name: N, handler: (data: LiveEvents[N]) => void): void {
  const { listen } = useContext(LiveContext);
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => listen((n, data) => n === name && latest.current(data as LiveEvents[N])), [listen, name]);
}
