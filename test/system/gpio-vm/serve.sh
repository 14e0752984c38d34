#!/bin/bash
# The virtual machine's only program of ours, with the host's files read-only and /run to write in: takes the test's commands from
# a TCP connection, one a line as "id script", and answers "id status output", both with \n and \\ for newline and backslash. Ends
# the machine when the connection ends. Starts no program for itself: each costs an emulated processor some 20 ms.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run LC_ALL=C.UTF-8
for word in $(</proc/cmdline); do
  case $word in control=*) port=${word#control=} ;; esac
done
exec 3<>"/dev/tcp/10.0.2.2/$port" && echo ready >&3
while read -r -u 3 id script; do
  printf -v script %b "$script"
  (eval "$script") >/run/output 2>&1 </dev/null 3>&-
  status=$?
  output=$(</run/output)
  output=${output//\\/\\\\}
  echo "$id $status ${output//$'\n'/\\n}" >&3
done
exec busybox poweroff -f
