package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"custos/custody"
	"custos/ledger"
)

// gauges reads the state of the service when the metrics are asked for.
type gauges struct{ app *app }

var (
	ledgerEvents   = prometheus.NewDesc("custos_ledger_events", "Events in the ledger.", nil, nil)
	ledgerSize     = prometheus.NewDesc("custos_ledger_checkpoint_size", "Entries that the last checkpoint covers.", nil, nil)
	ledgerAge      = prometheus.NewDesc("custos_ledger_checkpoint_age_seconds", "Age of the last checkpoint.", nil, nil)
	ledgerRunning  = prometheus.NewDesc("custos_ledger_running", "1 while the ledger takes events and signs.", nil, nil)
	witnessedSize  = prometheus.NewDesc("custos_witnessed_size", "Entries that enough witnesses have signed.", nil, nil)
	unwitnessed    = prometheus.NewDesc("custos_unwitnessed_seconds", "Since when the log has had entries that not enough witnesses have signed; 0 = it has none.", nil, nil)
	witnessBehind  = prometheus.NewDesc("custos_witness_behind_seconds", "Since when the log has had entries that this witness has not signed; 0 = it has none.", []string{"witness"}, nil)
	timestampAge   = prometheus.NewDesc("custos_timestamp_age_seconds", "Age of the last timestamp.", []string{"authority"}, nil)
	timestampLate  = prometheus.NewDesc("custos_timestamp_late", "1 where a timestamp did not come when it was due.", []string{"authority"}, nil)
	storeFree      = prometheus.NewDesc("custos_store_free_bytes", "Free on the store's disk.", []string{"store"}, nil)
	storeBytes     = prometheus.NewDesc("custos_store_bytes", "Kept in the store, sealed.", []string{"store"}, nil)
	storeObjects   = prometheus.NewDesc("custos_store_objects", "Objects kept in the store.", []string{"store"}, nil)
	storeAccepting = prometheus.NewDesc("custos_store_accepting", "1 while the store takes footage in.", []string{"store"}, nil)
	workJobs       = prometheus.NewDesc("custos_work_jobs", "Jobs by state.", []string{"state"}, nil)

	approvalsOpen  = prometheus.NewDesc("custos_approvals_open", "Requests that wait for a second person.", nil, nil)
	glassOpened    = prometheus.NewDesc("custos_break_glass_opened_total", "Emergency access ever taken.", nil, nil)
	glassInUse     = prometheus.NewDesc("custos_break_glass_in_use", "Emergency access in use now.", nil, nil)
	reviewsWaiting = prometheus.NewDesc("custos_break_glass_reviews_waiting", "Emergency access that waits for its review.", nil, nil)
	reviewsOverdue = prometheus.NewDesc("custos_break_glass_reviews_overdue", "Emergency access whose review is past its time.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(g, ch) }

// Collect is part of prometheus.Collector. What cannot be read is left out,
// so that an alarm on absence works.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	set := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	if st, err := g.app.ledger.Status(ctx); err == nil {
		set(ledgerEvents, float64(st.Events))
		set(ledgerSize, float64(st.CheckpointSize))
		set(ledgerRunning, yes(st.State == ledger.Running))
		if !st.CheckpointAt.IsZero() {
			set(ledgerAge, time.Since(st.CheckpointAt).Seconds())
		}
	}
	g.witness(set, yes)
	if st, err := g.app.custody.StoreState(ctx); err == nil {
		set(storeFree, float64(st.Free), st.Name)
		set(storeBytes, float64(st.Bytes), st.Name)
		set(storeObjects, float64(st.Objects), st.Name)
		set(storeAccepting, yes(st.State == custody.StoreOK), st.Name)
	}
	if n, err := g.app.queue.Counts(ctx); err == nil {
		set(workJobs, float64(n.Waiting), "waiting")
		set(workJobs, float64(n.Running), "running")
		set(workJobs, float64(n.Failed), "failed")
		set(workJobs, float64(n.Done), "done")
	}
	if n, err := g.app.approvals.Counts(ctx); err == nil {
		set(approvalsOpen, float64(n.Open))
		ch <- prometheus.MustNewConstMetric(glassOpened, prometheus.CounterValue, float64(n.Opened))
		set(glassInUse, float64(n.Glass))
		set(reviewsWaiting, float64(n.Reviews))
		set(reviewsOverdue, float64(n.Overdue))
	}
}

// witness reads how outsiders vouch for the log. Without witnesses there is
// nothing to alarm about that the system page does not say.
func (g *gauges) witness(set func(d *prometheus.Desc, v float64, labels ...string), yes func(bool) float64) {
	st := g.app.witness.Status()
	since := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return time.Since(t).Seconds()
	}
	if len(st.Witnesses) > 0 {
		set(witnessedSize, float64(st.Size))
		set(unwitnessed, since(st.Since))
	}
	for _, w := range st.Witnesses {
		set(witnessBehind, since(w.Since), w.Name)
	}
	for _, a := range st.Authorities {
		set(timestampLate, yes(a.Late), a.Name)
		if !a.At.IsZero() {
			set(timestampAge, time.Since(a.At).Seconds(), a.Name)
		}
	}
}
