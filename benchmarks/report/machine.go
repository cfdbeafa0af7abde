package report

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A Machine is where a report comes from.
type Machine struct {
	Processor string
	Cores     int
	Memory    string
	Kernel    string
	TCP       string // congestion control
	Go        string
	OpenFiles uint64 // limit of each process
}

// ThisMachine describes the machine, as far as it tells.
func ThisMachine() Machine {
	m := Machine{Go: runtime.Version(), Cores: runtime.NumCPU()}
	m.Processor = field("/proc/cpuinfo", "model name")
	var kib float64
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%f kB", &kib); err == nil {
		m.Memory = fmt.Sprintf("%.1f GiB", kib/(1<<20))
	}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		release, _, _ := bytes.Cut(uts.Release[:], []byte{0})
		m.Kernel = "Linux " + string(release)
	}
	if name, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control"); err == nil {
		m.TCP = string(bytes.TrimSpace(name))
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		m.OpenFiles = limit.Cur
	}
	return m
}

// field returns the first value of a name in a file of lines "name: value".
func field(file, name string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s of memory, %s, TCP congestion control %s, %s, %d open files a process",
		m.Processor, m.Cores, m.Memory, m.Kernel, m.TCP, m.Go, m.OpenFiles)
}
