#!/usr/bin/perl
# Stands in for kinesis-agent in the boot test, so that the test itself can be tested: it behaves (FAULT empty), or
# fails in one known way, and the boot test has to notice. It knows just enough: follow files, send lines to
# its own sandbox, keep a checkpoint, talk to systemd. See boot.sh --stand-in.
#
# Faults: never-ready, never-stops, stops-badly, loses-a-line, forgets, no-checkpoint.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);

my $FAULT = '';    # boot.sh writes the fault here

my ($command, @options) = @ARGV;
my %option;
for my $at (0 .. $#options - 1) { $option{$options[$at]} = $options[$at + 1] }
my %commands = (run => \&run, sandbox => \&sandbox, consume => \&consume);
($commands{$command // ''} // sub { die "stand-in: unknown command\n" })->();

sub notify {
    my ($state) = @_;
    my $path = $ENV{NOTIFY_SOCKET} or return;
    $path =~ s/^@/\0/;
    my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $path) or die "notify: $!";
    $socket->send($state);
}

sub dial {
    my ($endpoint) = @_;
    my ($address) = $endpoint =~ m{([\d.]+:\d+)};
    return IO::Socket::INET->new(PeerAddr => $address) // die "cannot reach $address: $!\n";
}

sub run {
    my $config = read_file($option{'-c'});
    my ($endpoint) = $config =~ /"kinesis\.endpoint"\s*:\s*"([^"]+)"/;
    my ($checkpoint) = $config =~ /"checkpointFile"\s*:\s*"([^"]+)"/;
    my @patterns = $config =~ /"filePattern"\s*:\s*"([^"]+)"/g;
    my %offset = -e $checkpoint ? split(/\s+/, read_file($checkpoint)) : ();
    %offset = () if $FAULT eq 'forgets';
    my $stopped = 0;
    $SIG{TERM} = sub { $stopped = 1 };
    $SIG{TERM} = 'IGNORE' if $FAULT eq 'never-stops';
    notify('READY=1') unless $FAULT eq 'never-ready';
    until ($stopped) {
        ship($_, $endpoint, \%offset) for map { glob } @patterns;
        write_file($checkpoint, join(' ', %offset)) unless $FAULT eq 'no-checkpoint';
        select(undef, undef, undef, 0.05);
    }
    notify('STOPPING=1');
    exit($FAULT eq 'stops-badly' ? 3 : 0);
}

sub ship {
    my ($path, $endpoint, $offset) = @_;
    open(my $file, '<', $path) or return;
    my $inode = (stat $file)[1];
    seek($file, $offset->{$inode} // 0, 0);
    while (defined(my $line = <$file>)) {
        last unless $line =~ /\n\z/;
        next if $FAULT eq 'loses-a-line' && $line =~ /17$/;
        my $connection = dial($endpoint);
        print $connection "PUT $line";
        <$connection> // last;
        $offset->{$inode} = tell $file;
    }
}

sub sandbox {
    my $server = IO::Socket::INET->new(LocalAddr => $option{'--listen'}, Listen => 16, ReuseAddr => 1)
        // die "cannot listen: $!\n";
    my @lines;
    while (my $client = $server->accept) {
        my $request = <$client> // next;
        if ($request =~ s/^PUT //) { push @lines, $request; print $client "OK\n" }
        else { print $client @lines }
    }
}

sub consume {
    my $connection = dial($option{'--endpoint'});
    print $connection "GET\n";
    print while <$connection>;
}

sub read_file {
    my ($path) = @_;
    open(my $file, '<', $path) or die "cannot read $path: $!\n";
    local $/;
    return <$file> // '';
}

sub write_file {
    my ($path, $text) = @_;
    open(my $file, '>', $path) or die "cannot write $path: $!\n";
    print $file $text;
}
