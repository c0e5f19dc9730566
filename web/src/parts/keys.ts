import { useEffect, useRef, useSyncExternalStore } from 'react';

/** What a key does; return false to leave the key to the browser. */
export type KeyMap = Record<string, (e: KeyboardEvent) => unknown>;

const store = 'custos-shortcuts';
const watchers = new Set<() => void>();

/** WCAG 2.1.4: whoever dictates or trembles can switch single-key shortcuts off. */
export function setShortcutsOn(on: boolean): void {
  localStorage.setItem(store, on ? 'on' : 'off');
  for (const w of watchers) w();
}

const shortcutsOn = () => localStorage.getItem(store) !== 'off';

export function useShortcutsOn(): boolean {
  return useSyncExternalStore((w) => {
    watchers.add(w);
    return () => watchers.delete(w);
  }, shortcutsOn);
}

/** Tells whether the element under the focus needs this key for itself. */
export function claims(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('input, textarea, select, [contenteditable="true"]')) return true;
  if (key === ' ' || key === 'Enter') return !!target.closest('button, a[href], summary, [role="button"], [role="tab"], [role="menuitem"]');
  if (key.startsWith('Arrow') || key === 'Home' || key === 'End') {
    return !!target.closest('[role="slider"], [role="tab"], [role="menu"], [role="radiogroup"], [role="listbox"]');
  }
  return false;
}

/** Binds single keys (KeyboardEvent.key) for as long as the component is shown and no dialogue or menu is open. */
export function useKeys(keys: KeyMap, active = true): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    if (!active) return;
    const press = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || !shortcutsOn()) return;
      if (claims(e.target, e.key) || document.querySelector('[role="dialog"], [role="menu"]')) return;
      const act = latest.current[e.key.length === 1 ? e.key.toLowerCase() : e.key];
      if (act && act(e) !== false) e.preventDefault();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [active]);
}
