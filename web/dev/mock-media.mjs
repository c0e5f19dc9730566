// Footage for the mock server: made once by ffmpeg from Debian's vtest.avi
// (package opencv-doc) into a temporary folder; a test picture stands in where
// that package is missing.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const walkers = '/usr/share/doc/opencv-doc/examples/data/vtest.avi';
export const perSecond = 20;
export const sheet = { columns: 5, rows: 4, everyMs: 2000, tileWidth: 240, tileHeight: 180, count: 20 };

/** Makes the media, or finds them made; returns their folder. */
export function makeMedia() {
  const done = join(tmpdir(), 'custos-mock-media-2');
  if (existsSync(done)) return done;
  const dir = done + '.' + process.pid;
  mkdirSync(dir, { recursive: true });
  const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
  const picture = existsSync(walkers) ? ['-i', walkers] : ['-f', 'lavfi', '-i', 'testsrc2=size=768x576:rate=10:duration=79'];
  const noise = ['-f', 'lavfi', '-i', 'aevalsrc=0.5*sin(2*PI*220*t)*pow(sin(2*PI*t/7)*sin(2*PI*t/1.3)\\,2)*random(0):d=79'];
  const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '26', '-pix_fmt', 'yuv420p', '-g', '20', '-c:a', 'aac', '-b:a', '64k', '-movflags', '+faststart'];
  for (const [i, start] of [[1, 0], [2, 40]]) {
    ffmpeg(...picture, ...noise, '-filter_complex', `[0:v]trim=${start}:${start + 39},setpts=PTS-STARTPTS[v];[1:a]atrim=${start}:${start + 39},asetpts=PTS-STARTPTS[a]`, '-map', '[v]', '-map', '[a]', ...h264, `segment${i}.mp4`);
    ffmpeg('-i', `segment${i}.mp4`, '-vf', `fps=1/2,scale=${sheet.tileWidth}:${sheet.tileHeight},tile=${sheet.columns}x${sheet.rows}`, '-frames:v', '1', '-q:v', '5', `trickplay${i}.jpg`);
    ffmpeg('-i', `segment${i}.mp4`, '-ac', '1', '-ar', '8000', '-f', 's16le', `pcm${i}`);
    const pcm = readFileSync(join(dir, `pcm${i}`));
    const per = 8000 / perSecond;
    const peaks = Buffer.alloc(Math.floor(pcm.length / 2 / per));
    for (let n = 0; n < peaks.length; n++) {
      let most = 0;
      for (let j = 0; j < per; j++) most = Math.max(most, Math.abs(pcm.readInt16LE((n * per + j) * 2)));
      peaks[n] = Math.min(255, Math.round((most / 32768) * 400));
    }
    writeFileSync(join(dir, `waveform${i}`), peaks);
    rmSync(join(dir, `pcm${i}`));
  }
  ffmpeg('-i', 'segment1.mp4', '-vn', '-c:a', 'copy', 'audio.m4a');
  ffmpeg(...picture, '-vf', 'fps=1/3,scale=480:-2', '-q:v', '5', 'poster%02d.jpg');
  try {
    renameSync(dir, done);
  } catch {
    rmSync(dir, { recursive: true }); // another run was faster
  }
  return done;
}

export const posters = (dir) => readdirSync(dir).filter((f) => f.startsWith('poster')).sort();
