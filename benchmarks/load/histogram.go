package load

import (
	"math/bits"
	"time"
)

// A histogram counts durations in buckets that are at most 1/64 wide.
type histogram struct {
	buckets [64 * subBuckets]uint32
	count   int
}

const (
	subBits    = 6
	subBuckets = 1 << subBits
)

func (h *histogram) add(d time.Duration) { h.addN(d, 1) }

func (h *histogram) addN(d time.Duration, n int) {
	h.buckets[bucketOf(d)] += uint32(n)
	h.count += n
}

func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0))
	exponent := max(bits.Len64(v)-subBits-1, 0)
	return exponent*subBuckets + int(v>>exponent)
}

// lowest is the shortest duration in a bucket.
func lowest(bucket int) time.Duration {
	if bucket < 2*subBuckets {
		return time.Duration(bucket)
	}
	exponent := bucket/subBuckets - 1
	return time.Duration(bucket-exponent*subBuckets) << exponent
}

// quantile returns the duration that a share q of all does not exceed; 0 without any.
func (h *histogram) quantile(q float64) time.Duration {
	rest := int(q * float64(h.count))
	for bucket, n := range h.buckets {
		rest -= int(n)
		if rest < 0 {
			return lowest(bucket)
		}
	}
	return 0
}

func (h *histogram) reset() { *h = histogram{} }
