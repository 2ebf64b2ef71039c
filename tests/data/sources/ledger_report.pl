#!/usr/bin/perl
package Ledger::Report;

use strict;
use warnings;
use List::Util qw(sum max);
use POSIX qw(strftime);

=head1 NAME

Ledger::Report - monthly totals of a ledger

=head1 SYNOPSIS

    my $report = Ledger::Report->new(currency => 'EUR');
    if ($report) { print $report->render }

=cut

our $VERSION = '1.02';

my %SIGN = (
    debit  => -1,
    credit => 1,
);

sub new {
    my ($class, %options) = @_;
    my $self = {
        currency => $options{currency} || 'USD',
        entries  => [],
        errors   => 0,
    };
    return bless $self, $class;
}

# Reads lines of "date;kind;amount;text".
sub read_file {
    my ($self, $path) = @_;
    open(my $handle, '<', $path) or die "cannot open $path: $!";

    while (my $line = <$handle>) {
        chomp $line;
        next if $line =~ /^\s*#/;
        my ($date, $kind, $amount, $text) = split /;/, $line, 4;
        unless (defined $amount && exists $SIGN{$kind}) {
            $self->{errors}++;
            warn "line $.: not an entry\n";
            next;
        }
        push @{ $self->{entries} }, {
            date   => $date,
            amount => $SIGN{$kind} * $amount,
            text   => $text,
        };
    }
    close($handle);
    return scalar @{ $self->{entries} };
}

sub totals {
    my ($self) = @_;
    my %total;
    foreach my $entry (@{ $self->{entries} }) {
        my $month = substr($entry->{date}, 0, 7);
        $total{$month} += $entry->{amount};
    }

    my @rows;
    for my $month (sort keys %total) {
        my $sum = sprintf('%.2f', $total{$month});
        push @rows, [ $month, $sum ];
    }
    return @rows;
}

sub render {
    my ($self) = @_;
    my $text = '';
    for my $row ($self->totals) {
        my ($month, $sum) = @$row;
        $text .= "$month $sum $self->{currency}\n";
    }

    if ($self->{errors} > 10) {
        $text .= "too many errors\n";
    } elsif ($self->{errors}) {
        $text .= "$self->{errors} errors\n";
    } else {
        $text .= "no errors\n";
    }

    my $stamp = strftime('%Y-%m-%d', gmtime);
    $text .= <<"END";
Printed on $stamp { by machine }
END
    return $text;
}

sub try_read {
    my ($self, @paths) = @_;
    my $read = 0;
    for my $path (@paths) {
        my $ok = eval {
            $self->read_file($path);
            1;
        };
        $read++ if $ok;
    }
    return $read;
}

1;

__END__

Nothing below this line is code.
