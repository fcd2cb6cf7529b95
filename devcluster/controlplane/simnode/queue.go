package simnode

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// The longest wait is short because a test that restarts the API server waits for it.
const (
	firstRetry   = 50 * time.Millisecond
	longestRetry = 3 * time.Second
)

// workers runs one level-triggered function over keys, and tries again what failed.
type workers[K comparable] struct {
	name  string
	queue workqueue.TypedRateLimitingInterface[K]
	// do answers after how long to look at the key again (0: when something changes).
	do func(context.Context, K) (time.Duration, error)
}

func newWorkers[K comparable](name string, do func(context.Context, K) (time.Duration, error)) *workers[K] {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[K](firstRetry, longestRetry)
	return &workers[K]{name: name, queue: workqueue.NewTypedRateLimitingQueue(limiter), do: do}
}

// run returns when the context ends and the last call is over.
func (w *workers[K]) run(ctx context.Context, count int) {
	var group sync.WaitGroup
	for range count {
		group.Add(1)
		go func() {
			defer group.Done()
			for w.one(ctx) {
			}
		}()
	}
	<-ctx.Done()
	w.queue.ShutDown()
	group.Wait()
}

func (w *workers[K]) one(ctx context.Context) bool {
	key, stopping := w.queue.Get()
	if stopping {
		return false
	}
	defer w.queue.Done(key)
	again, err := w.do(ctx, key)
	if err != nil {
		if ctx.Err() == nil {
			klog.V(1).InfoS("Will try again", "what", w.name, "key", key, "err", err)
		}
		w.queue.AddRateLimited(key)
		return true
	}
	w.queue.Forget(key)
	if again > 0 {
		w.queue.AddAfter(key, again)
	}
	return true
}
