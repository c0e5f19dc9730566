package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"custos/evidence"
	"custos/test/rig"
)

// benchServer measures how fast a server is there and how much memory it takes
// while nobody asks for anything: with an empty database, and with what the
// demonstration holds.
func benchServer(t *testing.T, b *bench) {
	s := rig.New(t, b.bin, "", unlimited...)
	starts(t, b, s, "empty")
	demoSized(t, s)
	starts(t, b, s, "demo-sized")
}

func starts(t *testing.T, b *bench, s *rig.Service, name string) {
	t.Helper()
	var ready, memory []float64
	for i := range b.count(7, 3) {
		begun := time.Now()
		s.Start()
		d := time.Since(begun)
		time.Sleep(2 * time.Second) // what begins with the server has begun
		m, err := resident(s.PID())
		if err != nil {
			t.Fatal(err)
		}
		s.Stop()
		if i > 0 {
			ready, memory = append(ready, d.Seconds()), append(memory, m)
		}
	}
	b.add(t, measured("server ready after start, "+name, "s", ready).atMost(1))
	b.add(t, measured("server's memory at rest, "+name, "MiB", memory).atMost(80))
}

// demoSized docks eight recordings with real pictures and waits until they can
// be watched.
func demoSized(t *testing.T, s *rig.Service) {
	t.Helper()
	s.Start()
	d := s.NewDock("Central")
	for bay := range 2 {
		device := fmt.Sprintf("K-%04d", bay)
		camera := d.Camera(fmt.Sprintf("bay-%d", bay), device, "4711")
		for i := range 4 {
			d.Put(camera, device, "4711", fmt.Sprintf("%02d1500", 8+i), 1, rig.Footage(t, fmt.Sprintf("take-%d%d.mp4", bay, i), 10*bay+2*i, 10))
		}
	}
	d.Empty(2 * time.Minute)
	p := s.SignIn("investigator")
	for range 600 {
		var page struct {
			Items []struct{ State evidence.MediaState }
		}
		p.JSON("GET", "/api/recordings", nil, 200, &page)
		waiting := 8 - len(page.Items)
		for _, i := range page.Items {
			if i.State == evidence.MediaPending {
				waiting++
			}
		}
		if waiting == 0 {
			s.Stop()
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatal("the recordings were not prepared within two minutes")
}

// benchUploads sends files as docks do and watches the server's memory, until
// all are collected. The peer of a single upload is cp and fsync of such a file.
func benchUploads(t *testing.T, b *bench) {
	length := b.size(1<<30, 64<<20)
	for _, n := range []int{1, 4, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { // a service each: the disk need not hold all of them
			s := rig.New(t, b.bin, "", unlimited...)
			s.Start(noTools)
			d := newDock(t, s, "Central")
			// Nothing warms up: what a first upload leaves behind would hide
			// what the next one takes.
			rest := peak(t, s, func() { time.Sleep(3 * time.Second) })
			var grown []float64
			for range b.count(1, 2) {
				most := peak(t, s, func() { d.receipts(t, d.sendAll(t, n, length)) })
				grown = append(grown, (most-rest)/float64(n))
			}
			b.add(t, measured(fmt.Sprintf("memory of each of %d uploads at once", n), "MiB", grown).atMost(32))
			if n == 1 {
				speed(t, b, d, length)
			}
		})
	}
}

func speed(t *testing.T, b *bench, d dock, length int64) {
	t.Helper()
	file := newNoise(length).write(t, t.TempDir()+"/footage")
	var pairs []pair
	for range b.count(5, 3) {
		fresh := newNoise(length)
		at, ours, err := d.send(t.Context(), fresh.name(), fresh)
		if err != nil {
			t.Fatal(err)
		}
		d.receipt(t, at) // so that collecting does not run beside the peer
		pairs = append(pairs, pair{megabytes(length, ours), megabytes(length, copied(t, file))})
	}
	b.add(t, compared("upload of one client, to durable", "MB/s", "cp, fsync", pairs))
}

// sendAll sends n files at once; all are durable when it returns.
func (d dock) sendAll(t *testing.T, n int, length int64) []string {
	t.Helper()
	var wg sync.WaitGroup
	ups := make([]string, n)
	for i := range n {
		wg.Go(func() {
			file := newNoise(length)
			var err error
			if ups[i], _, err = d.send(t.Context(), file.name(), file); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ups
}

func (d dock) receipts(t *testing.T, ups []string) {
	t.Helper()
	for _, at := range ups {
		d.receipt(t, at)
	}
}

// peak is the most memory the server has while do runs, in MiB.
func peak(t *testing.T, s *rig.Service, do func()) float64 {
	t.Helper()
	stop, done := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		for {
			if m, err := resident(s.PID()); err == nil {
				most = max(most, m)
			}
			select {
			case <-stop:
				done <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	do()
	close(stop)
	m := <-done
	if m == 0 {
		t.Fatal("the server's memory could not be seen")
	}
	return m
}
