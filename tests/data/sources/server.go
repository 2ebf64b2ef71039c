// Package server answers lookups over HTTP and keeps its table fresh.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	defaultPort = 8080
	maxBody     = 1 << 20 // one mebibyte
)

var ErrStale = errors.New("table is stale")

var usage = `usage: lookup [flags] {key}
	-port N   listen on N
	-quiet    no log: }
`

// Entry is one row of the table.
type Entry struct {
	Key     string        `json:"key"`
	Value   []byte        `json:"value,omitempty"`
	Expires time.Duration `json:"expires"`
}

type loader interface {
	Load(ctx context.Context) (map[string]Entry, error)
	Close() error
}

// Server holds the table. The zero value is not usable.
type Server struct {
	mu     sync.RWMutex
	table  map[string]Entry
	source loader
	done   chan struct{}
}

func New(source loader, options ...func(*Server)) *Server {
	s := &Server{
		source: source,
		table:  make(map[string]Entry),
		done:   make(chan struct{}),
	}
	for _, option := range options {
		option(s)
	}
	return s
}

// refresh loads the table until the context ends.
func (s *Server) refresh(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return nil
		case now := <-ticker.C:
			table, err := s.source.Load(ctx)
			if err != nil {
				return fmt.Errorf("refresh at %v: %w", now, err)
			}
			s.mu.Lock()
			s.table = table
			s.mu.Unlock()
		}
	}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch key := r.URL.Query().Get("key"); {
	case r.Method != http.MethodGet:
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
	case key == "":
		http.Error(w, usage, http.StatusBadRequest)
		return
	default:
		s.mu.RLock()
		entry, ok := s.table[key]
		s.mu.RUnlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(entry); err != nil {
			fmt.Println("encode:", err)
		}
	}
}

func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	failures := make(chan error, 1)

	wg.Add(1)
	go func() {
		defer wg.Done()
		if err := s.refresh(ctx, time.Minute); err != nil && !errors.Is(err, context.Canceled) {
			failures <- err
		}
	}()

	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case err := <-failures:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})

	err := http.ListenAndServe(fmt.Sprintf(":%d", defaultPort), s)
	close(s.done)
	wg.Wait()
	return err
}
