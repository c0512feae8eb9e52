//! The KPL's `TokenBucket` suite. It takes tokens by the number; here each record takes one, and its bytes of another
//! stream of tokens, so numbers are taken record by record.

use super::*;

fn at(milliseconds: u64) -> Moment {
    Moment::after_origin(Duration::from_millis(milliseconds))
}

fn full(capacity: f64, per_second: f64) -> Allowance {
    Allowance { capacity, per_second, left: capacity }
}

fn bucket(records: Allowance, bytes: Allowance) -> TokenBucket {
    TokenBucket {
        records,
        bytes,
        refilled_at: at(0),
        is_adaptive: false,
        share: 1.0,
        most_share: 1.0,
        growth: Growth::Recover,
        slowed_at: None,
        second_ends: Moment::ORIGIN,
    }
}

/// How many of so many records, of so many bytes together, the bucket lets pass.
fn take(bucket: &mut TokenBucket, records: usize, bytes: usize, now: Moment) -> usize {
    let of_one = |number: usize| bytes * (number + 1) / records - bytes * number / records;
    (0..records).take_while(|number| bucket.take(of_one(*number), now).is_ok()).count()
}

#[test]
fn basic() {
    let mut bucket = bucket(full(200.0, 1000.0), full(1e9, 1e9));
    for (milliseconds, too_many, enough) in [(0, 201, 200), (100, 110, 90), (400, 201, 200)] {
        let now = at(milliseconds);
        assert!(take(&mut bucket.clone(), too_many, 0, now) < too_many, "at {milliseconds}");
        assert_eq!(take(&mut bucket, enough, 0, now), enough, "at {milliseconds}");
    }
}

#[test]
fn multiple() {
    let mut bucket = bucket(full(200.0, 1000.0), full(500.0, 2000.0));
    for (milliseconds, too_many, too_large, enough) in
        [(0, 201, 501, (200, 500)), (100, 110, 220, (90, 180)), (500, 201, 501, (200, 500))]
    {
        let now = at(milliseconds);
        assert!(take(&mut bucket.clone(), too_many, 0, now) < too_many, "at {milliseconds}");
        // A byte to each record: the last finds no credit.
        assert!(bytes_taken(&mut bucket.clone(), too_large, now) < too_large, "at {milliseconds}");
        assert_eq!(take(&mut bucket, enough.0, enough.1, now), enough.0, "at {milliseconds}");
    }
}

/// How many of so many bytes pass, in records of five bytes, the last one smaller.
fn bytes_taken(bucket: &mut TokenBucket, bytes: usize, now: Moment) -> usize {
    let sizes = (0..bytes).step_by(5).map(|place| (bytes - place).min(5));
    sizes.take_while(|size| bucket.take(*size, now).is_ok()).sum()
}

#[test]
fn what_finds_no_credit_takes_nothing() {
    let mut bucket = bucket(full(200.0, 1000.0), full(500.0, 2000.0));
    assert_eq!(take(&mut bucket, 1, 500, at(0)), 1);
    let records = bucket.records.left;
    assert_eq!(take(&mut bucket, 1, 1, at(0)), 0);
    assert!((bucket.records.left - records).abs() < f64::EPSILON);
}
