#!/bin/bash
# The virtual machine's only program of ours, with the host's files read-only and /run to write in: takes the test's commands from
# a TCP connection, one a line as "id script", both the script and what comes back ("id status output") in base64. Ends the
# machine when the connection ends.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run LC_ALL=C.UTF-8
for word in $(</proc/cmdline); do
  case $word in control=*) port=${word#control=} ;; esac
done
exec 3<>"/dev/tcp/10.0.2.2/$port" && echo ready >&3
while read -r -u 3 id script; do
  (eval "$(base64 -d <<<"$script")") >/run/output 2>&1 </dev/null 3>&-
  status=$?
  echo "$id $status $(base64 -w0 /run/output)" >&3
done
exec busybox poweroff -f
