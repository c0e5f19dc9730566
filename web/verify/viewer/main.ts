import './style.css';
import { checkBag, filesOf, type Bag } from './bag';
import { h } from './dom';
import { find, checkMaster } from './media';
import { header, keyBox, recordingView, recordingsList, verdict } from './parts';
import type { Check, Report } from '../src/index';

/** Everything that the page shows comes from here. */
export interface Shown {
  bag: Bag;
  reports: Map<string, Report>;
  media: Map<string, Check>;
  /** bytes hashed and to hash; null = not hashing */
  hashing: { done: number; total: number } | null;
  /** the folder last chosen held none of the files */
  notThis: boolean;
  recording: string;
  segment: number;
  pinned: string;
}

const app = document.getElementById('app') as HTMLElement;

function read(): Bag | null {
  try {
    return JSON.parse(document.getElementById('bag')?.textContent ?? 'null') as Bag | null;
  } catch {
    return null;
  }
}

async function start() {
  const bag = read();
  if (!bag) {
    app.replaceChildren(h('main', { class: 'empty' }, h('h1', {}, 'No bundle'), h('p', {}, 'This page has no evidence in it. It is filled in when a bundle is made.')));
    return;
  }
  const first = bag.metadata.recordings?.[0]?.id ?? '';
  const shown: Shown = { bag, reports: new Map(), media: new Map(), hashing: null, notThis: false, recording: first, segment: filesOf(bag, first)[0]?.segment ?? 1, pinned: '' };
  document.title = `Evidence bundle ${bag.metadata.bundle}`;

  const top = h('div', { 'aria-live': 'polite' });
  const list = h('div');
  const view = h('div');
  const key = h('div');
  const drawTop = () => top.replaceChildren(verdict(shown, (files) => void choose(files)));
  const draw = () => {
    drawTop();
    list.replaceChildren(recordingsList(shown, select));
    view.replaceChildren(recordingView(shown, select));
  };
  const select = (recording: string, segment: number) => {
    Object.assign(shown, { recording, segment });
    list.replaceChildren(recordingsList(shown, select));
    view.replaceChildren(recordingView(shown, select));
  };
  const check = async () => {
    shown.reports = await checkBag(bag, shown.pinned || undefined);
    key.replaceChildren(keyBox(shown, pin));
    draw();
  };
  const pin = (line: string) => {
    shown.pinned = line.trim();
    void check();
  };
  const choose = async (chosen: File[]) => {
    const files = bag.metadata.files ?? [];
    const pairs = files.map((f) => [f, find(chosen, f.path)] as const);
    shown.notThis = pairs.every(([, file]) => !file);
    if (shown.notThis) return drawTop();
    shown.hashing = { done: 0, total: pairs.reduce((n, [f, file]) => n + (f.sealed ? 0 : (file?.size ?? 0)), 0) };
    drawTop();
    for (const [f, file] of pairs) {
      const result = await checkMaster(f, file, (n) => {
        if (!shown.hashing) return;
        shown.hashing.done += n;
        const bar = document.getElementById('hashing');
        if (bar instanceof HTMLProgressElement) bar.value = shown.hashing.done / shown.hashing.total;
      });
      shown.media.set(f.path, result);
    }
    shown.hashing = null;
    draw();
  };

  app.replaceChildren(header(bag), h('main', {}, top, h('div', { class: 'columns' }, h('nav', { 'aria-label': 'Recordings' }, list, key), view)));
  await check();
}

void start();
