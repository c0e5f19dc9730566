import { ActionIcon, Button, Loader, Menu, Slider, Tooltip } from '@mantine/core';
import { useFullscreenElement } from '@mantine/hooks';
import {
  IconMaximize, IconMinimize, IconPlayerPauseFilled, IconPlayerPlayFilled, IconPlayerSkipBack, IconPlayerSkipForward,
  IconPlayerTrackNext, IconPlayerTrackPrev, IconVolume, IconVolume3, type Icon,
} from '@tabler/icons-react';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import type { Consultation, Detail } from '../../api/types';
import { useKeys } from '../../parts/keys';
import { length, plural, time as clockTime, zoneName } from '../../words/time';
import styles from './Player.module.css';
import { SegmentList } from './SegmentList';
import { frameAt, layOutTimeline, timeOf, xOf } from './timeline';
import { Timeline } from './Timeline';
import { speeds, usePlayer } from './usePlayer';
import { Watermark } from './Watermark';
import { Waveform } from './Waveform';

interface Props {
  detail: Detail;
  consultation: Consultation;
  /** what stands in place of the picture of a segment that cannot be played */
  instead: (segment: number) => ReactNode;
  /** told how long pictures have been moving, whenever asked for at the end */
  watchedRef: React.RefObject<() => number>;
  /** the server no longer gives bytes */
  onRefused: () => void;
  /** the watermark is gone from the page: nothing may go on playing */
  onUnmarked: () => void;
}

export function Player({ detail, consultation, instead, watchedRef, onRefused, onUnmarked }: Props) {
  const { segments } = consultation;
  const masters = useMemo(() => new Map(detail.segments.map((s) => [s.number, s])), [detail.segments]);
  const pieces = useMemo(
    () => layOutTimeline(segments.map((s) => ({ number: s.number, durationMs: s.durationMs || (masters.get(s.number)?.media.durationMs ?? 0) })), detail.gaps ?? []),
    [segments, masters, detail.gaps],
  );
  const rateOf = (n: number) => masters.get(n)?.media.frameRate ?? 25;
  const video = useRef<HTMLVideoElement>(null);
  const player = usePlayer(video, segments, pieces, rateOf);
  const { place } = player;
  useEffect(() => {
    watchedRef.current = player.watched;
  });

  const segment = segments.find((s) => s.number === place.number);
  const master = masters.get(place.number);
  const sound = segment?.state === 'audio';
  const playable = !!segment?.source;
  const total = pieces.reduce((n, p) => n + p.durationMs, 0);
  const at = timeOf(pieces, place);
  const moment = master ? new Date(Date.parse(master.clock.trusted) + place.ms) : undefined;

  const { ref: fullRef, toggle: toggleFull, fullscreen: full } = useFullscreenElement<HTMLDivElement>();
  const faster = (by: 1 | -1) => {
    const i = speeds.indexOf(player.speed) + by;
    if (speeds[i]) player.setSpeed(speeds[i]);
  };
  useKeys({
    ' ': () => player.toggle(),
    k: () => player.toggle(),
    j: () => player.seekBy(-10_000),
    l: () => player.seekBy(10_000),
    ArrowLeft: () => player.seekBy(-5000),
    ArrowRight: () => player.seekBy(5000),
    ArrowUp: () => player.setVolume(player.volume + 0.1),
    ArrowDown: () => player.setVolume(player.volume - 0.1),
    Home: () => player.seekBy(-Infinity),
    End: () => player.seekBy(Infinity),
    ',': () => player.step(-1),
    '.': () => player.step(1),
    '[': () => faster(-1),
    ']': () => faster(1),
    m: () => player.toggleMute(),
    f: () => void toggleFull(),
  }, playable);

  return (
    <>
      <section className={styles.player} ref={fullRef} aria-label="Player">
        <div className={styles.stage} data-sound={sound || undefined}>
          {playable ? (
            <>
              {/* The service keeps no captions: what a transcript says is generated and never part of the master. */}
              <video
                ref={video}
                src={segment.source}
                className={styles.video}
                data-hidden={sound || undefined}
                playsInline
                disablePictureInPicture
                disableRemotePlayback
                controlsList="nodownload noremoteplayback"
                preload="auto"
                onClick={player.toggle}
                onContextMenu={(e) => e.preventDefault()}
                {...player.events}
                onError={() => { player.events.onError?.(); onRefused(); }}
              />
              {sound && <Waveform segments={segments} pieces={pieces} played={xOf(pieces, place)} tall />}
              {player.stalled && !player.failed && <span className={styles.stalled} role="status"><Loader size="sm" color="white" aria-hidden /> Waiting for footage …</span>}
              {player.failed && (
                <div className={styles.overlay} role="alert">
                  <strong>Playing has stopped</strong>
                  <p>The footage did not arrive, or this browser cannot read it. The master is not affected.</p>
                  <Button variant="default" onClick={player.retry}>Try again</Button>
                </div>
              )}
            </>
          ) : instead(place.number)}
          <Watermark text={consultation.watermark} now={consultation.now} onMissing={onUnmarked} />
        </div>
        <div className={styles.panel}>
          {!sound && segments.some((s) => s.waveform) && <Waveform segments={segments} pieces={pieces} played={xOf(pieces, place)} />}
          <Timeline segments={segments} pieces={pieces} place={place} seek={player.seek} />
          <div className={styles.controls}>
            <div className={styles.group}>
              {!sound && <Control label="One frame back" hint="," icon={IconPlayerSkipBack} onClick={() => player.step(-1)} disabled={!playable} />}
              <Control label="Back 10 seconds" hint="J" icon={IconPlayerTrackPrev} onClick={() => player.seekBy(-10_000)} disabled={!playable} />
              <Control label={player.playing ? 'Pause' : 'Play'} hint="Space" icon={player.playing ? IconPlayerPauseFilled : IconPlayerPlayFilled} onClick={player.toggle} disabled={!playable} main />
              <Control label="Forward 10 seconds" hint="L" icon={IconPlayerTrackNext} onClick={() => player.seekBy(10_000)} disabled={!playable} />
              {!sound && <Control label="One frame on" hint="." icon={IconPlayerSkipForward} onClick={() => player.step(1)} disabled={!playable} />}
            </div>
            <span className={styles.time}>{length(at)} <span className="dim">/ {length(total)}</span></span>
            {moment && (
              <span className={styles.clock} data-testid="clock">
                {clockTime(moment)}.{String(moment.getUTCMilliseconds()).padStart(3, '0')} {zoneName(moment)}
                {!sound && playable && <> · frame {frameAt(place.ms / 1000, rateOf(place.number))}</>}
              </span>
            )}
            <div className={styles.group}>
              <Menu position="top-end" width={110} withinPortal={false}>
                <Menu.Target><Button variant="subtle" color="gray" size="compact-sm" className={styles.speed} aria-label={`Speed: ${player.speed} times`}>{player.speed}×</Button></Menu.Target>
                <Menu.Dropdown>{speeds.map((s) => <Menu.Item key={s} onClick={() => player.setSpeed(s)} fw={s === player.speed ? 700 : undefined}>{s}×{s === player.speed && ' ✓'}</Menu.Item>)}</Menu.Dropdown>
              </Menu>
              <Volume muted={player.muted} volume={player.volume} toggle={player.toggleMute} set={player.setVolume} />
              <Control label={full ? 'Leave full screen' : 'Full screen'} hint="F" icon={full ? IconMinimize : IconMaximize} onClick={() => void toggleFull()} />
            </div>
          </div>
        </div>
      </section>
      {segments.length > 1 && (
        <SegmentList detail={detail} pieces={pieces} current={place.number} onPick={(n) => player.seek({ number: n, ms: 0 })}
          heading={plural(segments.length, 'segment')} />
      )}
    </>
  );
}

interface ControlProps {
  label: string;
  hint: string;
  icon: Icon;
  onClick: () => void;
  disabled?: boolean;
  main?: boolean;
}

function Control({ label, hint, icon: Mark, onClick, disabled, main }: ControlProps) {
  return (
    <Tooltip label={`${label} (${hint})`}>
      <ActionIcon variant={main ? 'filled' : 'subtle'} color={main ? 'accent' : 'gray'} className={main ? styles.main : styles.control} size={main ? 38 : 34} radius={main ? 'xl' : 'sm'} aria-label={label} onClick={onClick} disabled={disabled}>
        <Mark size={main ? 19 : 18} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

function Volume({ muted, volume, toggle, set }: { muted: boolean; volume: number; toggle: () => void; set: (v: number) => void }) {
  return (
    <span className={styles.volume}>
      <Control label={muted ? 'Sound on' : 'Sound off'} hint="M" icon={muted ? IconVolume3 : IconVolume} onClick={toggle} />
      <Slider className={styles.volumeSlider} size={3} thumbSize={12} min={0} max={1} step={0.05} value={muted ? 0 : volume} onChange={set} label={null} thumbLabel="Volume" />
    </span>
  );
}
