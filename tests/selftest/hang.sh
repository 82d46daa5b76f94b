#!/bin/sh
# Hangs, and has a child that hangs with it.
echo 'about to hang'
sleep 600 &
wait
