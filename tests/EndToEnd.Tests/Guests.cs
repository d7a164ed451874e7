namespace NicHost.EndToEnd.Tests;

public sealed class QemuMtu1500() : GuestFixture(GuestKind.Qemu, 1500);

public sealed class QemuMtu65520() : GuestFixture(GuestKind.Qemu, 65520);

public sealed class UmlMtu1500() : GuestFixture(GuestKind.Uml, 1500);

public sealed class UmlMtu65520() : GuestFixture(GuestKind.Uml, 65520);

public sealed class QemuMtu1500Tests(QemuMtu1500 fixture) : GuestNetworkTests(fixture), IClassFixture<QemuMtu1500>;

public sealed class QemuMtu65520Tests(QemuMtu65520 fixture) : GuestNetworkTests(fixture), IClassFixture<QemuMtu65520>;

public sealed class UmlMtu1500Tests(UmlMtu1500 fixture) : GuestNetworkTests(fixture), IClassFixture<UmlMtu1500>;

public sealed class UmlMtu65520Tests(UmlMtu65520 fixture) : GuestNetworkTests(fixture), IClassFixture<UmlMtu65520>;
