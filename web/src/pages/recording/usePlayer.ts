import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';
import type { PlayableSegment } from '../../api/types';
import { frameTime, placeOf, timeOf, type Piece, type Place } from './timeline';

export const speeds = [0.25, 0.5, 1, 1.5, 2, 4];

export interface Player {
  place: Place;
  playing: boolean;
  /** the browser waits for bytes */
  stalled: boolean;
  failed: boolean;
  speed: number;
  volume: number;
  muted: boolean;
  toggle: () => void;
  seek: (p: Place) => void;
  seekBy: (ms: number) => void;
  step: (frames: 1 | -1) => void;
  setSpeed: (s: number) => void;
  setVolume: (v: number) => void;
  toggleMute: () => void;
  retry: () => void;
  /** how long pictures have really been moving, in milliseconds */
  watched: () => number;
  events: Record<string, () => void>;
}

/** Plays the segments of a recording one after the other in one video element. */
export function usePlayer(videoRef: RefObject<HTMLVideoElement | null>, segments: PlayableSegment[], pieces: Piece[], rate: (segment: number) => number): Player {
  const [place, setPlace] = useState<Place>({ number: segments[0]?.number ?? 1, ms: 0 });
  const [playing, setPlaying] = useState(false);
  const [stalled, setStalled] = useState(false);
  const [failed, setFailed] = useState(false);
  const [speed, setSpeedState] = useState(1);
  const [volume, setVolumeState] = useState(1);
  const [muted, setMuted] = useState(false);
  const wish = useRef<{ ms: number; play: boolean } | null>({ ms: 0, play: true }); // to be done when the segment has loaded
  const seen = useRef({ total: 0, since: 0 });

  const play = useCallback(() => {
    // A browser may refuse to begin by itself; then the play button is there.
    videoRef.current?.play().catch(() => setPlaying(false));
  }, [videoRef]);

  // The picture's own time, as often as pictures come: the clock and the frame number follow it.
  const source = segments.find((s) => s.number === place.number)?.source ?? '';
  const number = place.number;
  useEffect(() => {
    const v = videoRef.current;
    if (!v || !source) return;
    let handle = 0;
    const tick: VideoFrameRequestCallback = (_, frame) => {
      setPlace((p) => (p.number === number ? { number, ms: frame.mediaTime * 1000 } : p));
      handle = v.requestVideoFrameCallback(tick);
    };
    handle = v.requestVideoFrameCallback(tick);
    return () => v.cancelVideoFrameCallback(handle);
  }, [videoRef, number, source]);

  const moving = (on: boolean) => {
    const now = performance.now();
    if (seen.current.since) seen.current.total += now - seen.current.since;
    seen.current.since = on ? now : 0;
  };

  const seek = (p: Place) => {
    const v = videoRef.current;
    setFailed(false);
    if (p.number !== place.number || !v?.src) {
      wish.current = { ms: p.ms, play: playing };
      setPlace(p);
      return;
    }
    v.currentTime = p.ms / 1000;
    setPlace(p);
  };

  const now = (): Place => ({ number: place.number, ms: (videoRef.current?.currentTime ?? 0) * 1000 });

  const events = {
    onLoadedMetadata: () => {
      const v = videoRef.current;
      const w = wish.current;
      wish.current = null;
      if (!v) return;
      v.playbackRate = speed;
      if (w && w.ms > 0) v.currentTime = w.ms / 1000;
      if (w?.play) play();
    },
    onPlay: () => setPlaying(true),
    onPlaying: () => { setStalled(false); moving(true); },
    onPause: () => { setPlaying(false); moving(false); },
    onWaiting: () => { setStalled(true); moving(false); },
    onSeeked: () => setStalled(false),
    onTimeUpdate: () => {
      // Sound has no pictures to count by.
      const v = videoRef.current;
      if (v && v.videoWidth === 0) setPlace((p) => ({ ...p, ms: v.currentTime * 1000 }));
    },
    onEnded: () => {
      moving(false);
      const next = segments[segments.findIndex((s) => s.number === place.number) + 1];
      if (!next) return;
      wish.current = { ms: 0, play: true };
      setPlace({ number: next.number, ms: 0 });
    },
    onError: () => { if (videoRef.current?.getAttribute('src')) { setFailed(true); setPlaying(false); moving(false); } },
  };

  return {
    place, playing, stalled, failed, speed, volume, muted, seek, events,
    toggle: () => {
      const v = videoRef.current;
      if (!v) return;
      if (!v.paused) v.pause();
      else if (v.ended && segments.at(-1)?.number === place.number) {
        const first = segments[0];
        if (first && first.number !== place.number) {
          wish.current = { ms: 0, play: true };
          setPlace({ number: first.number, ms: 0 });
        } else {
          v.currentTime = 0;
          play();
        }
      } else play();
    },
    seekBy: (ms) => seek(placeOf(pieces, timeOf(pieces, now()) + ms)),
    step: (frames) => {
      const v = videoRef.current;
      if (!v) return;
      v.pause();
      v.currentTime = Math.min(v.duration || 0, frameTime(v.currentTime, rate(place.number), frames));
    },
    setSpeed: (s) => {
      setSpeedState(s);
      if (videoRef.current) videoRef.current.playbackRate = s;
    },
    setVolume: (v) => {
      const held = Math.min(1, Math.max(0, v));
      setVolumeState(held);
      setMuted(held === 0);
      if (videoRef.current) Object.assign(videoRef.current, { volume: held, muted: held === 0 });
    },
    toggleMute: () => {
      setMuted(!muted);
      if (videoRef.current) videoRef.current.muted = !muted;
    },
    retry: () => {
      setFailed(false);
      wish.current = { ms: place.ms, play: true };
      videoRef.current?.load();
    },
    watched: () => seen.current.total + (seen.current.since ? performance.now() - seen.current.since : 0),
  };
}
