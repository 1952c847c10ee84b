//! What is stored: named by its bytes, mended by storing it again, and not left half made.

use super::*;

#[test]
fn artefacts_are_named_by_their_bytes() {
    let world = world();
    let stored = world.artefacts.put(&b"abc"[..]).unwrap();
    assert_eq!(stored, Stored { digest: Digest::of(b"abc"), size: 3 });
    assert_eq!(world.artefacts.put(&b"abc"[..]).unwrap(), stored);
    assert!(world.artefacts.path(&stored.digest).ends_with("ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    assert_eq!(world.artefacts.verify(&stored.digest).unwrap(), stored);

    let mut staged = world.artefacts.writer().unwrap();
    staged.write_all(b"never").unwrap();
    drop(staged);
    assert!(!world.artefacts.holds(&Digest::of(b"never")));

    fs::write(world.artefacts.path(&stored.digest), b"abd").unwrap();
    assert!(matches!(world.artefacts.verify(&stored.digest), Err(ConnectionError::ArtefactDamaged { .. })));
    world.artefacts.put(&b"abc"[..]).unwrap();
    assert!(world.artefacts.verify(&stored.digest).is_ok(), "storing it again mends it");

    world.artefacts.remove(&stored.digest).unwrap();
    world.artefacts.remove(&stored.digest).unwrap();
    assert!(matches!(world.artefacts.read(&stored.digest), Err(ConnectionError::ArtefactMissing { .. })));
}

#[test]
fn what_was_abandoned_is_removed_and_what_is_at_work_is_not() {
    let world = world();
    let mut staged = world.artefacts.writer().unwrap();
    staged.write_all(b"at work").unwrap();
    let staging = world.artefacts.path(&Digest::of(b"")).parent().unwrap().parent().unwrap().join("staging");
    let work = fs::read_dir(&staging).unwrap().next().unwrap().unwrap().path();
    set_age(&work, 1_000);
    fs::write(staging.join("left"), b"x").unwrap();
    set_age(&staging.join("left"), 7_200_000);
    assert_eq!(world.artefacts.remove_abandoned(NOW_MS, Duration::from_secs(3_600)).unwrap(), 1);
    assert!(staged.commit().is_ok());
}
