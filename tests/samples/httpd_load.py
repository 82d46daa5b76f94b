"""The web server under wrk with 1,000 connections: no request may fail. --long takes 10 s, otherwise 2."""
import os
import re
import resource
import subprocess
import sys

from support import Folder, Httpd, Skip, counted, equal, main, need

SECONDS = 10 if '--long' in sys.argv else 2
sys.argv = [argument for argument in sys.argv if argument != '--long']


def wrk(name, size):
    need('wrk')
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 2200:
        raise Skip('only %d descriptors are allowed' % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Folder(**{name: counted(size)[:size]}) as folder, Httpd(folder.path, '--quiet') as httpd:
        before = httpd.descriptors()
        said = subprocess.run(['wrk', '-t2', '-c1000', '-d%ds' % SECONDS, '--timeout', '30s', httpd.url + name],
                              capture_output=True, text=True, timeout=SECONDS + 60).stdout
        equal(re.findall(r'Socket errors.*|Non-2xx.*', said), [], said)
        requests = int(re.search(r'(\d+) requests in', said)[1])
        assert requests >= 1000, said
        print('%d requests in %d s' % (requests, SECONDS))
        httpd.settle(lambda: httpd.descriptors() <= before, 'nothing stays open')
        httpd.stop()
        equal(httpd.errors, [])


def test_a_thousand_connections():
    wrk('small', 1000)


def test_a_thousand_connections_and_sendfile():
    wrk('large', 100000)


main()
