package simnode

import (
	"fmt"
	"net/netip"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// addressPool gives every pod an address of its own for as long as the pod exists.
type addressPool struct {
	mutex  sync.Mutex
	prefix netip.Prefix
	next   netip.Addr
	owners map[netip.Addr]types.UID
	given  map[types.UID]netip.Addr
}

func newAddressPool(prefix netip.Prefix) *addressPool {
	prefix = prefix.Masked()
	return &addressPool{
		prefix: prefix,
		next:   prefix.Addr(),
		owners: map[netip.Addr]types.UID{},
		given:  map[types.UID]netip.Addr{},
	}
}

// take answers the pod's address: the one it has, the one it says it had before we were restarted, or a new one.
func (p *addressPool) take(uid types.UID, wanted string) (string, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if address, ok := p.given[uid]; ok {
		return address.String(), nil
	}
	if address, err := netip.ParseAddr(wanted); err == nil && p.prefix.Contains(address) {
		if _, taken := p.owners[address]; !taken {
			return p.give(uid, address), nil
		}
	}
	// Rotating keeps a released address unused for as long as possible, as a network plugin does.
	for first := p.next; ; {
		address := p.advance()
		if _, taken := p.owners[address]; !taken {
			return p.give(uid, address), nil
		}
		if p.next == first {
			return "", fmt.Errorf("no address is left in %s", p.prefix)
		}
	}
}

func (p *addressPool) advance() netip.Addr {
	p.next = p.next.Next()
	if !p.prefix.Contains(p.next) {
		p.next = p.prefix.Addr()
	}
	return p.next
}

func (p *addressPool) give(uid types.UID, address netip.Addr) string {
	p.owners[address] = uid
	p.given[uid] = address
	return address.String()
}

func (p *addressPool) release(uid types.UID) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if address, ok := p.given[uid]; ok {
		delete(p.owners, address)
		delete(p.given, uid)
	}
}
