namespace NicHost.Virtio.VhostUser;

/// <summary>What becomes of a front-end at the door.</summary>
internal enum Admission
{
    /// <summary>It has its session.</summary>
    Taken,

    /// <summary>Another one is attached.</summary>
    Busy,

    /// <summary>It was sent away to show its guest that the link is down, and the link is still down.</summary>
    LinkDown,
}
