package simnode

import (
	"net/netip"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestAnAddressBelongsToOnePodAtATime(t *testing.T) {
	pool := newAddressPool(netip.MustParsePrefix("198.18.0.0/30"))
	seen := map[string]bool{}
	for _, uid := range []types.UID{"a", "b", "c", "d"} {
		address, err := pool.take(uid, "")
		if err != nil || seen[address] {
			t.Fatalf("pod %s got %q, %v", uid, address, err)
		}
		seen[address] = true
	}
	if _, err := pool.take("e", ""); err == nil {
		t.Error("a fifth pod got one of four addresses")
	}
	first, _ := pool.take("a", "")
	pool.release("a")
	if again, err := pool.take("e", ""); err != nil || again != first {
		t.Errorf("the address given back is %s, the next pod got %q, %v", first, again, err)
	}
}

func TestAPodKeepsTheAddressThatItHadBeforeARestart(t *testing.T) {
	pool := newAddressPool(netip.MustParsePrefix("198.18.0.0/24"))
	if address, err := pool.take("a", "198.18.0.77"); err != nil || address != "198.18.0.77" {
		t.Errorf("got %q, %v", address, err)
	}
	for _, taken := range []string{"198.18.0.77", "10.0.0.1", "nonsense"} {
		if address, err := pool.take(types.UID("of "+taken), taken); err != nil || address == taken {
			t.Errorf("%s: got %q, %v", taken, address, err)
		}
	}
}
