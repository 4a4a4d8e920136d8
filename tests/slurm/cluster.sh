#!/usr/bin/env bash
# A Slurm cluster of one node on this machine, for tests: its own munged, slurmctld and slurmd, with
# everything in one directory. Works as root, in containers and chroots, without systemd or cgroups.
#
#   tests/slurm/cluster.sh start DIR     # prints the environment to use: eval "$(... start DIR)"
#   tests/slurm/cluster.sh stop DIR
#
# Needs Debian's slurm-wlm (group "slurm" of scripts/debian-packages.txt).
set -euo pipefail

die() {
  printf 'cluster.sh: %s\n' "$*" >&2
  exit 1
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

wait_until() { # SECONDS WHAT COMMAND...
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || die "$what did not come up; see the logs in $dir"
    sleep 0.2
  done
}

write_config() {
  local host cpus memory
  host=$(hostname -s)
  cpus=$(nproc)
  memory=$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
  # The controller's address is this machine whatever its name resolves to, if it does at all.
  cat >"$dir/slurm.conf" <<CONF
ClusterName=lmrnn
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job waits for as long as a credential lives; two minutes by default.
AuthInfo=socket=$dir/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=bf_interval=1,sched_min_interval=100000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=300
OverTimeLimit=0
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=short Nodes=$host Default=YES MaxTime=01:00:00 State=UP PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=$host MaxTime=01:00:00 State=UP PriorityTier=9 PreemptMode=OFF
CONF
  # Nothing uses cgroups, but slurmd loads a plugin for them; that of version 2, which it would
  # choose where none are mounted (in a chroot), then gives up. That of version 1 waits to be asked.
  printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >"$dir/cgroup.conf"
}

start_munge() {
  dd if=/dev/urandom of="$dir/munge.key" bs=1024 count=1 status=none
  chmod 400 "$dir/munge.key"
  # As root, munged wants to own its files and does not mind the rest with --force.
  munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
    --pid-file="$dir/munged.pid" --log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
  wait_until 20 munged munge --socket="$dir/munge.socket" --no-input
}

start() {
  [ "$(id -u)" -eq 0 ] || die "must be root, since slurmd starts jobs as their users"
  for program in munged slurmctld slurmd sbatch; do
    command -v $program >/dev/null || die "$program is missing; install slurm-wlm"
  done
  mkdir -p "$dir/state" "$dir/spool"
  chmod 755 "$dir"
  trap stop EXIT  # what has been started does not outlive a start that fails
  write_config
  start_munge
  export SLURM_CONF=$dir/slurm.conf
  slurmctld -c >&2
  wait_until 30 slurmctld scontrol ping
  slurmd >&2
  wait_until 30 slurmd sh -c 'sinfo --noheader --format=%T | grep -q idle'
  trap - EXIT
  printf 'export SLURM_CONF=%q\n' "$SLURM_CONF"
}

stop() {
  local name pid
  for name in slurmd slurmctld munged; do
    [ -s "$dir/$name.pid" ] || continue
    pid=$(cat "$dir/$name.pid")
    # After a crash the number may be another program's.
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] || continue
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.2
    done
    kill -9 "$pid" 2>/dev/null || true
  done
}

[ $# -eq 2 ] || die "usage: cluster.sh start|stop DIR"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
case $1 in
  start) start ;;
  stop) stop ;;
  *) die "usage: cluster.sh start|stop DIR" ;;
esac
